//! `regent override set`: one order, complete and valid, as a new file; a door.

use clap::{Args, ValueEnum};
use regent::govern::{self, Order, Override, Standing, overrides};
use regent::registry;
use regent::store::{Overlay, Store, StoreError};
use regent::types::{Digest, ModelName, Span, Timestamp, Version};
use regent::yaml;
use serde_json::json;

use super::{known, meant};
use crate::edge::{Answer, Exit, Failure, Scene};

/// What is ordered, of whom, by whom, why and for how long
#[derive(Debug, Args)]
pub struct Set {
    /// The model
    model: ModelName,
    /// What is ordered
    #[arg(value_enum)]
    order: Ordered,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// For how long it holds: 24h, 7d
    #[arg(long = "for", value_name = "SPAN", required_unless_present = "until", conflicts_with = "until")]
    lasting: Option<Span>,
    /// Until when it holds (RFC 3339)
    #[arg(long, value_name = "T")]
    until: Option<Timestamp>,
    /// The version that is meant [default: the candidate; for `pin` the champion]; for `rollback` the one to return to
    #[arg(long, visible_alias = "to", value_name = "V")]
    version: Option<Version>,
    /// Who orders
    #[arg(long, env = "USER", hide_env_values = true)]
    author: String,
    /// Its name for ever [default: the order and the instant]
    #[arg(long)]
    id: Option<String>,
    /// Say what would be written
    #[arg(long)]
    dry_run: bool,
}

/// An order as it is typed, the stricter first.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Ordered {
    /// Take the champion back and return to a former one; works while frozen; once
    Rollback,
    /// Reject the candidate; works while frozen; once
    Reject,
    /// Nothing moves while it stands
    Freeze,
    /// The champion stays what it is while it stands
    Pin,
    /// The candidate may be promoted once its gates pass
    Approve,
    /// The candidate takes the rest of the road now; once
    Promote,
    /// Start a training now; once
    Retrain,
    /// The clock is right although it jumped; once
    Clock,
}

impl From<Ordered> for Order {
    fn from(typed: Ordered) -> Order {
        match typed {
            Ordered::Rollback => Order::Rollback,
            Ordered::Reject => Order::Reject,
            Ordered::Freeze => Order::Freeze,
            Ordered::Pin => Order::Pin,
            Ordered::Approve => Order::Approve,
            Ordered::Promote => Order::Promote,
            Ordered::Retrain => Order::Retrain,
            Ordered::Clock => Order::Clock,
        }
    }
}

impl Set {
    pub(super) fn run(self, scene: &Scene) -> Result<Answer, Failure> {
        let workspace = scene.workspace()?;
        known(&workspace, &self.model)?;
        let standing = govern::fold(&workspace.store, &self.model)?;
        let order = self.written(&workspace.store, &standing, scene.now)?;
        let file = overrides::folder(&self.model)?.join(&format!("{}.yaml", order.id))?;
        let text = yaml::print_with_schema_line("../../../schemas/json/override.json", &order)?;
        // Whatever the governor would say of the folder, a person hears it now and not at night.
        let rehearsal = Overlay::over(&workspace.store);
        match rehearsal.create(&file, (&text).into()) {
            // The same order, given again after a crash, is given once.
            Err(StoreError::AlreadyExists { .. }) if rehearsal.read(&file)? != text.as_bytes() => {
                return Err(taken(&order.id));
            }
            Ok(()) | Err(StoreError::AlreadyExists { .. }) => {}
            Err(other) => return Err(other.into()),
        }
        overrides::load(&rehearsal, &self.model)?;
        if let Some(seq) = standing.applied.get(&order.id).map(|applied| applied.seq) {
            return Err(taken(&order.id).hint(format!("it was applied at entry {seq}; an id is one order's for ever")));
        }
        if !self.dry_run {
            workspace.create_draft(file.as_str(), &text)?;
        }
        let verb = if self.dry_run { "would write" } else { "wrote" };
        let said = format!("{verb} {file}: {} until {}", meant(&order), order.expires);
        let value = json!({
            "format_version": 1, "model": self.model, "file": file.as_str(), "override": order, "dry_run": self.dry_run,
        });
        Ok(Answer::new(said, &value)?.next("governor"))
    }

    fn written(&self, store: &dyn Store, standing: &Standing, now: Timestamp) -> Result<Override, Failure> {
        let order = Order::from(self.order);
        let expires = self.until.unwrap_or_else(|| now + self.lasting.unwrap_or(Span::ZERO));
        if expires <= now {
            return Err(Failure::usage(format!("it would have expired already: {expires} is not after {now}")));
        }
        let (version, bundle) = self.version_meant(store, standing)?;
        let id = self.id.clone().unwrap_or_else(|| format!("{order}-{}", now.compact().to_lowercase()));
        // A name of a file, so that it can be.
        id.parse::<ModelName>().map_err(|error| Failure::because(Exit::Usage, "use this --id", error))?;
        let (model, author, reason) = (self.model.clone(), self.author.clone(), self.reason.clone());
        Ok(Override { id, model, order, version, bundle, author, reason, expires })
    }

    /// The version that is meant, with the digest of its manifest as the registry has it now.
    fn version_meant(
        &self,
        store: &dyn Store,
        standing: &Standing,
    ) -> Result<(Option<Version>, Option<Digest>), Failure> {
        let (model, order) = (&self.model, Order::from(self.order));
        let candidate = standing.candidate.as_ref();
        let nobody = || Failure::usage(format!("{model} has no candidate to {order}")).hint("regent status");
        let version = match (order, self.version) {
            (Order::Freeze | Order::Retrain | Order::Clock | Order::Rollback, None) => return Ok((None, None)),
            (Order::Freeze | Order::Retrain | Order::Clock, Some(_)) => {
                return Err(Failure::usage(format!("`{order}` is about no version: leave --version out")));
            }
            (_, Some(version)) => version,
            (Order::Pin, None) => standing
                .champion_version()
                .ok_or_else(|| Failure::usage(format!("{model} has no champion to pin")).hint("regent status"))?,
            (Order::Approve | Order::Promote | Order::Reject, None) => candidate.ok_or_else(nobody)?.version,
        };
        if order == Order::Rollback {
            let former = standing.retired.iter().find(|former| former.version == version);
            let former = former.ok_or_else(|| not_former(model, version, standing))?;
            return Ok((Some(version), Some(former.bundle)));
        }
        // A candidate may be rejected because its bundle is not there or damaged; of nothing else is a digest believed unseen.
        let recorded = candidate.filter(|candidate| candidate.version == version).map(|candidate| candidate.bundle);
        if let (Order::Reject, Some(recorded)) = (order, recorded) {
            let there = || registry::fetch(store, model, version).ok().map(|model| model.digest());
            return Ok((Some(version), recorded.or_else(there)));
        }
        Ok((Some(version), Some(registry::fetch(store, model, version)?.digest())))
    }
}

fn not_former(model: &ModelName, version: Version, standing: &Standing) -> Failure {
    let former: Vec<String> = standing.retired.iter().map(|former| former.version.to_string()).collect();
    let who = if former.is_empty() { "there is none".to_owned() } else { format!("there are {}", former.join(", ")) };
    Failure::usage(format!("{model} {version} is no former champion to return to; {who}"))
}

fn taken(id: &str) -> Failure {
    Failure::usage(format!("`{id}` is the name of another order")).hint("give it another --id")
}
