//! `regent serve`: one replica of one model or several, wired and running until it is told to stop; a door.

mod chosen;
mod house;
mod keeper;
mod limits;
mod lookout;
mod tenant;

use std::net::SocketAddr;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use regent::serve::{Guard, Hosts, HttpDoor, Keys, Limits, SystemClock, TinyDoor};
use regent::types::{ModelName, ReplicaName};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::edge::{Answer, Exit, Failure, Scene};
use chosen::Chosen;
use house::{Gate, House};
use limits::LimitArguments;

/// Answer requests with the champion of each model, and let its candidate shadow
///
/// `/api/v1/models/MODEL/predict` speaks of any model that is served, `/api/v1/predict` of the default one.
#[derive(Debug, Args)]
pub struct Serve {
    /// The model [default: every model of the workspace]
    model: Option<ModelName>,
    /// A model; several with several --model
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<ModelName>,
    /// The model that paths without a name mean [default: the first that is named, else `model:` of regent.yaml, else the only
    /// one]
    #[arg(long = "default", value_name = "MODEL")]
    meant: Option<ModelName>,
    /// The address [default: `listen` of regent.yaml]
    #[arg(long, value_name = "ADDRESS", env = "REGENT_LISTEN")]
    listen: Option<String>,
    /// How requests come in
    #[arg(long, value_enum, default_value_t)]
    door: Door,
    /// The name of this replica among several
    #[arg(long, value_name = "NAME", env = "REGENT_REPLICA", default_value = "local")]
    replica: ReplicaName,
    /// A name this server goes by besides localhost and its address; several with several --host
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    #[command(flatten)]
    limits: LimitArguments,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Door {
    /// hyper, with limits on heads, bodies, time and connections
    #[default]
    Axum,
    /// tiny_http: small, for this machine only
    Tiny,
}

impl Serve {
    pub fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        let named: Vec<ModelName> = self.model.into_iter().chain(self.models).collect();
        let chosen = Chosen::of(&workspace, named, self.meant)?;
        let address = address(self.listen.as_deref().unwrap_or(&workspace.settings.listen))?;
        let limits = self.limits.limits()?;
        let (keys, hosts) = (Keys::of(&workspace.root), self.hosts);
        let hosts = if address.ip().is_loopback() { Hosts::this_machine(hosts) } else { Hosts::any_address(hosts) };
        let gate = Gate { guard: Guard::new(Arc::new(SystemClock::new()), keys.ring()?, hosts, &limits), keys };
        let house = House::open(workspace, &chosen, &self.replica, gate)?;
        house.greetings().for_each(|greeting| scene.say(&greeting));
        let _lookout = lookout::start(&house.root, &chosen.models, &house.clock)?;
        match self.door {
            Door::Axum => open_http(&house, address, limits, scene)?,
            Door::Tiny => open_tiny(&house, address, limits, scene)?,
        }
        let at = house.close()?;
        let Chosen { models, meant } = chosen;
        let value = json!({
            "format_version": 1, "model": meant, "models": models, "replica": self.replica, "stopped_at": at,
        });
        Answer::new("", &value)
    }
}

fn address(given: &str) -> Result<SocketAddr, Failure> {
    given.parse().map_err(|error| {
        Failure::because(Exit::Usage, format!("`{given}` is no address"), error)
            .hint("write host and port: 127.0.0.1:8080")
    })
}

fn open_http(house: &House, address: SocketAddr, limits: Limits, scene: &Scene) -> Result<(), Failure> {
    let door = HttpDoor::bind(address, limits, house.gate.guard.callers())?.metered(&house.meter);
    let front = house.front()?;
    let runtime = runtime()?;
    let stop = told_to_stop(&runtime);
    scene.say(&format!("listening on http://{}", door.address()));
    let keeper = house.keep()?;
    // Connections that outlive the drain end with it, so that nothing is answered once the spool is closed.
    let served = runtime.block_on(door.serve(front, stop));
    keeper.end();
    Ok(served?)
}

fn open_tiny(house: &House, address: SocketAddr, limits: Limits, scene: &Scene) -> Result<(), Failure> {
    let door = TinyDoor::open(address, house.front()?(), limits.bodies)?;
    let runtime = runtime()?;
    let stop = told_to_stop(&runtime);
    scene.say(&format!("listening on http://{}", door.address()));
    let keeper = house.keep()?;
    runtime.block_on(stop);
    door.stop();
    keeper.end();
    Ok(())
}

/// What hears whoever knocks, and the signals.
fn runtime() -> Result<Runtime, Failure> {
    Builder::new_current_thread().enable_all().build().map_err(|error| Failure::internal("start the runtime", error))
}

/// SIGTERM, or ctrl-c: heard from this call on, so that whoever waits for "listening" may stop it at once. A process that
/// cannot hear signals runs until it is killed.
fn told_to_stop(runtime: &Runtime) -> impl Future<Output = ()> + Send + use<> {
    let _inside = runtime.enter();
    let heard = signal(SignalKind::terminate()).and_then(|terminate| Ok((terminate, signal(SignalKind::interrupt())?)));
    async {
        let Ok((mut terminate, mut interrupt)) = heard else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}
