//! What Regent does all day, each beside the least that anybody would have to do for it: the ratio of the two, taken in one run,
//! is what a change may not spoil. Everything runs in memory, on the weather that the repository ships.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has nothing to say")]

use std::hint::black_box;
use std::io::Cursor;
use std::sync::Arc;

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;
use regent::audit;
use regent::backtest::{self, Comparison, Replay, Setup};
use regent::contract::{self, Given, RawContract, Registered};
use regent::govern::journal::{self, FORMAT_VERSION, append};
use regent::govern::{self, Appended, Entry, Record, Rules};
use regent::ingest::{Frozen, NoSources, RawSchema, Source, freeze};
use regent::log::{Recorder, SpoolRules};
use regent::promote::{self, Context};
use regent::registry::{self, VerifiedModel};
use regent::serve::{
    Access, Champion, Clock as _, Current, Front, Guard, Hosts, Keys, Limits, Meter, Models, NoMirror, Predictor,
    Routes, RowsFile, Said, Serving, SystemClock, Wiring, guarded, routes,
};
use regent::snapshot::{Counting, WindowRules};
use regent::stats::calibration::Binning;
use regent::stats::classification::{Confusion, Ranking, brier, log_loss};
use regent::store::{Durability, Key, Memory, Store};
use regent::types::{Digest, Timestamp};
use regent::yaml;
use tower::ServiceExt as _;
use ulid::Ulid;

const DAYS: &str = include_str!("../data/noaa_rain.csv");
/// The rows that the demonstration's first model is trained on.
const BASELINE_ROWS: usize = 6_000;
/// Three years of a governor's judged windows.
const ENTRIES: u64 = 1_000;
const PREDICTIONS: u64 = 1_000_000;

/// A workspace in which the weather's first version was trained.
struct House {
    store: Memory,
    registered: Registered,
    version: VerifiedModel,
}

fn registered(store: &Memory) -> Registered {
    let schema: RawSchema = yaml::read("schema", include_str!("../schemas/rain.yaml")).unwrap();
    let contract: RawContract = yaml::read("contract", include_str!("../contracts/rain.yaml")).unwrap();
    contract::register(&contract, &schema.check().unwrap(), store).unwrap()
}

fn frozen(registered: &Registered, rows: &str, store: &Memory) -> Frozen {
    let intake = registered.contract.intake(registered.sha256);
    freeze(Source::new("days.csv", rows.as_bytes()), &intake, Cursor::new(Vec::new()), store).unwrap()
}

fn house() -> House {
    let store = Memory::new();
    let registered = registered(&store);
    let baseline: String = DAYS.split_inclusive('\n').take(1 + BASELINE_ROWS).collect();
    let dataset = frozen(&registered, &baseline, &store);
    let model = registered.contract.name();
    let context = Context {
        store: &store,
        model,
        rules: &Rules::default(),
        sources: &NoSources,
        txn: &|| "the only one".to_owned(),
        actor: "bench",
    };
    promote::note_dataset(&context, &registered, "days.csv", &dataset, Timestamp::EPOCH).unwrap();
    let version = promote::begin(&context, "there is nothing to measure without one", Timestamp::EPOCH).unwrap();
    let version = registry::fetch(&store, model, version).unwrap().into_model().unwrap();
    House { store, registered, version }
}

/// Two ways to the same end in one group: ours, and the least there is to do.
fn beside<A, B>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    (ours, mut our_way): (&str, impl FnMut() -> A),
    (least, mut least_way): (&str, impl FnMut() -> B),
) {
    group.bench_function(ours, |bencher| bencher.iter(&mut our_way));
    group.bench_function(least, |bencher| bencher.iter(&mut least_way));
}

/// Strict rows to a sealed Parquet dataset, beside splitting the same bytes into fields.
fn ingest(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ingest 18,159 rows");
    group.throughput(Throughput::Bytes(DAYS.len() as u64)).sample_size(20);
    let registered = registered(&Memory::new());
    let split = || csv::ReaderBuilder::new().from_reader(DAYS.as_bytes()).into_byte_records().flatten().count();
    beside(
        &mut group,
        ("validate, freeze and seal", || frozen(&registered, DAYS, &Memory::new()).digest),
        ("split into fields", split),
    );
}

/// A bundle verified, parsed and self-tested, beside the SHA-256 of its files.
fn verify(criterion: &mut Criterion, house: &House) {
    let (store, version) = (&house.store, &house.version);
    let folder = Key::new(&format!("registry/{}/{}", version.name(), version.version())).unwrap();
    let files = store.list(&folder).unwrap();
    let bytes: u64 = files.iter().map(|file| store.len(file).unwrap()).sum();
    let mut group = criterion.benchmark_group("verify a bundle");
    group.throughput(Throughput::Bytes(bytes));
    beside(
        &mut group,
        ("verify, parse and self-test", || registry::fetch(store, version.name(), version.version()).unwrap()),
        ("hash its files", || files.iter().map(|file| Digest::of(store.read(file).unwrap())).collect::<Vec<_>>()),
    );
}

/// All that is stored of a model which was governed over the whole file, held against what names it, from the journal back to
/// the datasets' sources; beside the SHA-256 of the same files. Both on one core.
fn govern_and_audit(criterion: &mut Criterion) {
    let (store, spool) = (Arc::new(Memory::new()), tempfile::tempdir().unwrap());
    let registered = registered(&store);
    let setup = Setup {
        store: store.clone(),
        root: spool.path(),
        registered: &registered,
        rules: &Rules::default(),
        baseline_rows: BASELINE_ROWS,
        rows_per_window: 250,
        compare: Comparison::Alone,
    };
    let replay = Replay::read(Source::new("days.csv", DAYS.as_bytes()), &registered.contract).unwrap();
    backtest::replay(&setup, &replay, |_| ()).unwrap();
    let model = registered.contract.name();
    let verify = || audit::verify(&*store, model, &NoSources, &[]).unwrap();
    let sound = verify();
    assert!(sound.findings.is_empty(), "{:?}", sound.findings);
    let folders = ["governance", "registry", "var"].map(|folder| Key::new(folder).unwrap());
    let files: Vec<Key> = folders.iter().flat_map(|folder| store.list(folder).unwrap()).collect();
    let mut group = criterion.benchmark_group("verify a governed model");
    group.throughput(Throughput::Bytes(sound.bytes)).sample_size(10);
    beside(
        &mut group,
        ("verify, from the journal to the sources", verify),
        ("hash its files", || files.iter().map(|file| Digest::of(store.read(file).unwrap())).collect::<Vec<_>>()),
    );
}

/// A request's fields admitted and scored, beside the score alone.
fn answer(criterion: &mut Criterion, house: &House) {
    let predictor = Predictor::new(house.version.clone().into());
    let names: Vec<String> = house.registered.contract.features().iter().map(|feature| feature.name.clone()).collect();
    let fields = || names.iter().map(|name| (name.as_str(), Given::Number(0.25)));
    let vector = contract::admit(predictor.contract(), fields()).unwrap();
    beside(
        &mut criterion.benchmark_group("answer a request"),
        ("admit and score", || predictor.answer(black_box(fields())).unwrap()),
        ("score", || predictor.score(black_box(&vector)).unwrap()),
    );
}

/// Who serves, whatever happens.
struct Fixed(Arc<Serving>);

impl Champion for Fixed {
    fn current(&self) -> Current {
        Current::from_inner(Some(Arc::clone(&self.0)))
    }
}

/// A request from its head to its answer, with all that a server does between its sockets: guard, contract, score, event, counts;
/// beside the same guard and routes with an answer that is always the same.
fn answer_whole(criterion: &mut Criterion, house: &House) {
    let folder = tempfile::tempdir().unwrap();
    let predictor = Arc::new(Predictor::new(house.version.clone().into()));
    let (store, clock, model) = (Arc::new(Memory::new()), Arc::new(SystemClock::new()), predictor.name().clone());
    let (replica, boot, durability) = ("bench".parse().unwrap(), Ulid::from(1_u128), Durability::Batched);
    let (spool, now) = (SpoolRules::DEFAULTS, clock.now());
    let recorder = Recorder::open(store.clone(), folder.path(), &replica, boot, durability, spool, now).unwrap();
    let recorder = Arc::new(recorder);
    let counting = Counting::new(store, model.clone(), WindowRules::DEFAULTS.base, replica, boot);
    let names: Vec<&str> = house.registered.contract.features().iter().map(|feature| feature.name.as_str()).collect();
    let fields: Vec<String> = names.iter().map(|name| format!(r#""{name}":-0.{}2718"#, name.len())).collect();
    let body = bytes::Bytes::from(format!("{{\"features\":{{{}}}}}", fields.join(",")));
    let wiring = Wiring {
        clock: clock.clone(),
        champion: Arc::new(Fixed(Arc::new(Serving { champion: predictor, candidate: None, apart: None }))),
        events: recorder.clone(),
        counter: Arc::new(counting),
        labels: recorder.clone(),
        mirror: Arc::new(NoMirror),
    };
    let guard = || {
        let hosts = Hosts::this_machine([]);
        Guard::new(clock.clone(), Keys::of(folder.path()).ring().unwrap(), hosts, &Limits::DEFAULTS)
    };
    let meter = Arc::new(Meter::new([model.clone()]));
    let whole = guarded(routes(Models::new(model, wiring)), &guard(), &meter);
    let same = axum::Json(serde_json::json!({ "request_id": Ulid::from(1_u128).to_string(), "probability": 0.25 }));
    let fixed = Routes::new().post("/api/v1/predict", Access::Open, async move |_: axum::body::Bytes| same);
    let fixed = guarded(fixed, &guard(), &meter);
    let ask = |front: &Front| {
        let request = http::Request::post("/api/v1/predict").header("host", "localhost");
        let request = request.header("content-type", "application/json").body(axum::body::Body::from(body.clone()));
        let answer = futures::executor::block_on(front.clone().oneshot(request.unwrap())).unwrap();
        assert_eq!(answer.status(), 200);
        futures::executor::block_on(axum::body::to_bytes(answer.into_body(), usize::MAX)).unwrap()
    };
    beside(
        &mut criterion.benchmark_group("answer a request whole"),
        ("guard, contract, score, event and counts", || ask(&whole)),
        ("guard and a fixed answer", || ask(&fixed)),
    );
}

/// Lines of JSON read, admitted and scored, beside the scores alone, all at once.
fn answer_lines(criterion: &mut Criterion, house: &House) {
    const LINES: usize = 1_000;
    let predictor = Predictor::new(house.version.clone().into());
    let names: Vec<&str> = house.registered.contract.features().iter().map(|feature| feature.name.as_str()).collect();
    let line = |row: usize| {
        let fields: Vec<String> =
            names.iter().map(|name| format!(r#""{name}":{}"#, row as f64 / LINES as f64)).collect();
        format!("{{\"features\":{{{}}}}}\n", fields.join(","))
    };
    let lines: bytes::Bytes = (0..LINES).map(line).collect::<String>().into();
    let vectors: Vec<Vec<f64>> = (0..LINES).map(|row| vec![row as f64 / LINES as f64; names.len()]).collect();
    let answer = || {
        let (file, mut last) = (RowsFile::open(predictor.contract(), lines.clone(), &[]).unwrap(), None);
        let keep = |said: Vec<Said>| {
            last = said.into_iter().next_back();
            Ok(())
        };
        file.answer(&predictor, 1, |_, said| said, keep).unwrap();
        last
    };
    let mut group = criterion.benchmark_group("answer 1,000 lines");
    group.throughput(Throughput::Elements(LINES as u64));
    let scorer = predictor.model().scorer();
    beside(&mut group, ("read, admit and score", answer), ("score", || scorer.predictions(black_box(&vectors))));
}

/// Where a model stands after three years, beside reading its entries as any JSON.
fn fold(criterion: &mut Criterion, house: &House) {
    let (store, model) = (Memory::new(), house.version.name());
    let mut parent = None;
    for seq in 1..=ENTRIES {
        let (txn, actor, engine) = (seq.to_string(), "governor".to_owned(), "regent".to_owned());
        let decision = Record::empty(Timestamp::EPOCH);
        let (inputs, reports) = (Vec::new(), Vec::new());
        let entry =
            Entry { format_version: FORMAT_VERSION, seq, parent, txn, actor, engine, inputs, reports, decision };
        let Appended::Won(digest) = append(&store, model, &entry).unwrap() else { continue };
        parent = Some(digest);
    }
    let entries = store.list(&journal::folder(model).unwrap()).unwrap();
    let parse = |entry| serde_json::from_slice::<serde_json::Value>(&store.read(entry).unwrap()).unwrap();
    let mut group = criterion.benchmark_group("fold 1,000 entries");
    group.throughput(Throughput::Elements(ENTRIES));
    beside(
        &mut group,
        ("read, check the chain and fold", || govern::fold(&store, model).unwrap()),
        ("parse as JSON", || entries.iter().map(parse).collect::<Vec<_>>()),
    );
}

/// Every classification metric of a million predictions with its interval, beside one sort of their scores.
fn measure(criterion: &mut Criterion) {
    let mut generator = Pcg64::new(4, 4);
    let mut even = || (generator.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let scores: Vec<f64> = (0..PREDICTIONS).map(|_| even()).collect();
    let labels: Vec<bool> = scores.iter().map(|score| even() < *score).collect();
    let metrics = || {
        let ranking = Ranking::of(&scores, &labels).unwrap();
        let confusion = Confusion::at(0.5, &scores, &labels).unwrap();
        let ranked = (ranking.roc_auc(), ranking.roc_auc_delong(), ranking.average_precision());
        let calibrated = ranking.ece(Binning::EqualMass(10));
        let lost = (log_loss(&scores, &labels), brier(&scores, &labels));
        let called = (confusion.accuracy(), confusion.precision(), confusion.recall(), confusion.f1(), confusion.mcc());
        (ranked, calibrated, lost, called)
    };
    let sort = || {
        let mut sorted = scores.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    };
    let mut group = criterion.benchmark_group("metrics of 1,000,000 predictions");
    group.throughput(Throughput::Elements(PREDICTIONS)).sample_size(20);
    beside(&mut group, ("every metric", metrics), ("sort the scores", sort));
}

fn all(criterion: &mut Criterion) {
    measure(criterion);
    let house = house();
    ingest(criterion);
    verify(criterion, &house);
    govern_and_audit(criterion);
    answer(criterion, &house);
    answer_whole(criterion, &house);
    answer_lines(criterion, &house);
    fold(criterion, &house);
}

criterion_group!(benches, all);
criterion_main!(benches);
