//! Chapter 2: a champion answers, a candidate listens, and a promotion fails no request.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use regent::govern::{Order, Override};
use regent::log::{Recorder, SpoolRules, read_events};
use regent::registry;
use regent::serve::{Bodies, Clock, Decided, Follower, Models, Named, SystemClock, TinyDoor, Wiring, finish, routes};
use regent::shadow::{Manners, QueuedMirror, Scoring};
use regent::snapshot::{self, Counting};
use regent::store::Durability;
use regent::types::{Span, Version};
use serde_json::{Value, json};
use ulid::Ulid;

use super::stage::Workspace;

const NEW: Version = Version::new(1, 1, 0);

fn a_request() -> Value {
    json!({ "features": {
        "temperature": -0.4, "dew_point": 0.9, "sea_level_pressure": -0.8, "visibility": -1.2,
        "average_wind_speed": 0.6, "max_sustained_wind_speed": 0.5,
        "minimum_temperature": -0.1, "maximum_temperature": -0.5
    }})
}

/// P2, P9 and P10: while a promotion happens every request is answered, by the old champion or by the new one.
#[test]
fn a_promotion_fails_no_request() {
    let workspace = Workspace::with_champion();
    let clock = Arc::new(SystemClock::new());
    let follower = Arc::new(Follower::new(workspace.store.clone(), workspace.model().clone()));
    let (replica, boot) = ("story".parse().unwrap(), Ulid::from_parts(0, 1));
    let (store, rules, root) = (workspace.store.clone(), SpoolRules::DEFAULTS, workspace.path());
    let recorder =
        Recorder::open(store.clone(), root, &replica, boot, Durability::Batched, rules, clock.now()).unwrap();
    let recorder = Arc::new(recorder);
    let base = workspace.rules.windows.base;
    let counting = Arc::new(Counting::new(store.clone(), workspace.model().clone(), base, replica, boot));
    let scoring = Scoring { clock: clock.clone(), events: recorder.clone(), counter: counting.clone() };
    let mirror =
        Arc::new(QueuedMirror::start(scoring, Manners { stand_back: || (), worked_us: || 0, rest: |_| () }).unwrap());
    let wiring = Wiring {
        clock: clock.clone(),
        champion: follower.clone(),
        events: recorder.clone(),
        counter: counting.clone(),
        labels: recorder.clone(),
        mirror: mirror.clone(),
    };
    let router = finish(routes(Models::new(workspace.model().clone(), wiring)));
    let follow = || {
        let standing = workspace.standing();
        let decided = |version, bundle| Decided { version, bundle };
        let candidate = standing.shadowing().map(|candidate| decided(candidate.version, candidate.bundle.unwrap()));
        let champion = standing.champion.as_ref().map(|champion| decided(champion.version, champion.bundle));
        let sealed_until = standing.sealed_until();
        let named = champion.map(|champion| Named { champion, candidate, sealed_until });
        follower.follow(named, &workspace.rules.signature).unwrap();
    };
    follow();
    let door = TinyDoor::open("127.0.0.1:0".parse().unwrap(), router, Bodies::DEFAULTS).unwrap();
    let url = format!("http://{}/api/v1/predict", door.address());
    let over = AtomicBool::new(false);
    let versions = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut versions = BTreeSet::new();
            let mut asked = 0;
            while !over.load(Ordering::SeqCst) && asked < 100_000 {
                let mut answer = ureq::post(&url).send_json(a_request()).unwrap();
                let answer: Value = answer.body_mut().read_json().unwrap();
                assert!(answer["probability"].as_f64().is_some(), "{answer}");
                versions.insert(answer["model_version"].as_str().unwrap().to_owned());
                asked += 1;
            }
            versions
        });
        workspace.drop_rows(2_000..3_000);
        let later = |minutes| super::stage::noon() + Span::from_mins(minutes);
        workspace.train(later(2));
        workspace.tick(later(3));
        follow();
        thread::sleep(std::time::Duration::from_millis(300));
        workspace.drop_order(&Override {
            id: "now".to_owned(),
            model: workspace.model().clone(),
            order: Order::Promote,
            version: Some(NEW),
            bundle: Some(registry::fetch(&*workspace.store, workspace.model(), NEW).unwrap().digest()),
            author: "ana".to_owned(),
            reason: "the story goes on".to_owned(),
            expires: later(60),
        });
        workspace.tick(later(4));
        follow();
        thread::sleep(std::time::Duration::from_millis(300));
        over.store(true, Ordering::SeqCst);
        asking.join().unwrap()
    });
    assert_eq!(versions.into_iter().collect::<Vec<_>>(), ["1.0.0", "1.1.0"]);
    door.stop();
    let end = clock.now() + Span::from_hours(1);
    let watermark = recorder.close(end).unwrap();
    counting.close(watermark, end).unwrap();
    let events = read_events(&*workspace.store, workspace.model(), end - Span::from_hours(3), end).unwrap();
    assert!(events.iter().any(|event| event.shadow.as_ref().is_some_and(|shadow| shadow.version == NEW)));
    let ids: BTreeSet<_> = events.iter().map(|event| event.request_id).collect();
    assert_eq!(ids.len(), events.len(), "one event a request");
    snapshot::seal_due(&*workspace.store, workspace.model(), &workspace.rules.windows, end, None, end).unwrap();
}
