//! `regent`: one command for each thing a person does; a door. A file for each command, and the edge for what they share.
#![expect(clippy::disallowed_methods, reason = "a door: commands read files, the clock and the environment")]

mod alert;
mod backtest;
mod check;
mod completions;
mod contract;
mod doctor;
mod drift;
mod edge;
mod evidence;
mod explain;
mod export_schemas;
mod history;
mod ingest;
mod init;
mod journal;
mod keys;
mod labels;
mod log;
mod next;
mod null;
mod openapi;
mod overrides;
mod part;
mod performance;
mod predict;
mod registry;
mod replay;
mod retraining;
mod schema;
mod serve;
mod signing;
mod simulate;
mod snapshot;
mod state;
mod status;
mod train;
mod trust;
mod verify;
mod view;

use clap::{Parser, Subcommand};

use edge::{Answer, Exit, Failure, Scene, SceneArguments};

/// Machine learning that knows when not to change.
#[derive(Debug, Parser)]
#[command(name = "regent", version, after_help = Exit::table())]
struct Cli {
    #[command(flatten)]
    scene: SceneArguments,
    #[command(subcommand)]
    command: Command,
}

/// In the order of a model's life.
#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    #[command(subcommand)]
    Schema(schema::Schema),
    #[command(subcommand)]
    Contract(contract::Contract),
    Ingest(ingest::Ingest),
    #[command(subcommand)]
    Train(train::Train),
    #[command(subcommand)]
    Registry(registry::Registry),
    #[command(subcommand)]
    Signing(signing::Signing),
    Serve(serve::Serve),
    Predict(predict::Predict),
    #[command(subcommand)]
    Keys(keys::Keys),
    #[command(subcommand)]
    Labels(labels::Labels),
    #[command(subcommand)]
    Log(log::Log),
    #[command(subcommand)]
    Snapshot(snapshot::Snapshot),
    #[command(subcommand)]
    Drift(drift::Drift),
    #[command(subcommand)]
    Performance(performance::Performance),
    Retraining(retraining::Retraining),
    Check(check::Check),
    View(view::View),
    Trust(trust::Trust),
    Status(status::Status),
    State(state::State),
    Explain(explain::Explain),
    History(history::History),
    /// Overrule the governor, for a time and with a reason
    #[command(subcommand)]
    Override(overrides::Overrides),
    #[command(subcommand)]
    Journal(journal::Journal),
    Verify(verify::Verify),
    Replay(replay::Replay),
    Simulate(simulate::Simulate),
    #[command(subcommand)]
    Alert(alert::Alert),
    Doctor(doctor::Doctor),
    Backtest(backtest::Backtest),
    Openapi(openapi::Openapi),
    ExportSchemas(export_schemas::ExportSchemas),
    Completions(completions::Completions),
}

fn main() -> Exit {
    let Cli { scene, command } = Cli::parse();
    let scene = Scene::set(scene);
    scene.end(command.run(&scene))
}

impl Command {
    fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        match self {
            Command::Init(command) => command.run(scene),
            Command::Schema(command) => command.run(scene),
            Command::Contract(command) => command.run(scene),
            Command::Ingest(command) => command.run(scene),
            Command::Train(command) => command.run(scene),
            Command::Registry(command) => command.run(scene),
            Command::Signing(command) => command.run(scene),
            Command::Serve(command) => command.run(scene),
            Command::Predict(command) => command.run(scene),
            Command::Keys(command) => command.run(scene),
            Command::Labels(command) => command.run(scene),
            Command::Log(command) => command.run(scene),
            Command::Snapshot(command) => command.run(scene),
            Command::Drift(command) => command.run(scene),
            Command::Performance(command) => command.run(scene),
            Command::Retraining(command) => command.run(scene),
            Command::Check(command) => command.run(scene),
            Command::View(command) => command.run(scene),
            Command::Trust(command) => command.run(scene),
            Command::Status(command) => command.run(scene),
            Command::State(command) => command.run(scene),
            Command::Explain(command) => command.run(scene),
            Command::History(command) => command.run(scene),
            Command::Override(command) => command.run(scene),
            Command::Journal(command) => command.run(scene),
            Command::Verify(command) => command.run(scene),
            Command::Replay(command) => command.run(scene),
            Command::Simulate(command) => command.run(scene),
            Command::Alert(command) => command.run(scene),
            Command::Doctor(command) => command.run(scene),
            Command::Backtest(command) => command.run(scene),
            Command::Openapi(command) => command.run(scene),
            Command::ExportSchemas(command) => command.run(scene),
            Command::Completions(command) => command.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_commands_do_not_contradict_themselves() {
        Cli::command().debug_assert();
    }
}
