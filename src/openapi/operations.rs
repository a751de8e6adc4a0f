//! What each route does, in words and types; pure. Every row of the table of routes has one of these.

use http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::console::{
    Alerts, Champions, Concept, History, Latest, Newest, Reports, Retraining, Snapshots, Stands, Trusted,
};
use crate::drift::DriftReport;
use crate::performance::PerformanceReport;
use crate::serve::answers;

/// One route, described.
pub(super) struct Operation {
    /// Its name in generated clients.
    pub(super) id: &'static str,
    pub(super) tag: Tag,
    pub(super) summary: &'static str,
    pub(super) parameters: &'static [Parameter],
    pub(super) body: Option<Body>,
    pub(super) answer: Answer,
    /// Problems besides those that any route of its kind may answer.
    pub(super) also: &'static [u16],
    pub(super) faults: Faults,
    /// Whether it says with 503 that something is not ready, in the form in which it says that it is.
    pub(super) is_probe: bool,
}

/// In which words a route refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Faults {
    /// Problem JSON.
    Problems,
    /// `{"error": "…"}` of the route itself, and problem JSON of whoever stands before it.
    Errors,
}

/// What a route is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Predict,
    Tell,
    Read,
    Neighbours,
    Operate,
}

impl Tag {
    pub(super) const ALL: [Tag; 5] = [Tag::Predict, Tag::Tell, Tag::Read, Tag::Neighbours, Tag::Operate];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Tag::Predict => "predict",
            Tag::Tell => "tell",
            Tag::Read => "read",
            Tag::Neighbours => "neighbours",
            Tag::Operate => "operate",
        }
    }

    pub(super) fn says(self) -> &'static str {
        match self {
            Tag::Predict => "A probability or a number, never a decision.",
            Tag::Tell => "What came true, and what models elsewhere have answered.",
            Tag::Read => "What is known of a model: each route answers what a command prints with `-o json`.",
            Tag::Neighbours => "The same in the words of MLflow's scoring server and of the Open Inference Protocol.",
            Tag::Operate => "Whether it runs, and how.",
        }
    }
}

/// What may stand in a query or a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    /// Where a list goes on: what `next` of the page before said, which has this form.
    After(&'static str),
    All,
    Last,
    Limit,
    Size,
    TraceParent,
    Version,
}

/// What is sent; its form is the contract's, where the model has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    Predict,
    Batch,
    Labels,
    Inferences,
    Invocations,
    Infer,
}

/// What is answered when all is well.
pub(super) enum Answer {
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// Text of this content type.
    Text(&'static str),
}

fn json<T: JsonSchema>() -> Answer {
    Answer::Json(SchemaGenerator::subschema_for::<T>)
}

/// Where a path that names its model begins.
const OF_A_MODEL: &str = "/api/v1/models/{model}/";

/// The number of an entry or of a report.
const NUMBER: &str = "^[0-9]{1,15}$";
const INSTANT: &str = "^2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$";
const ALERT: &str = "^2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z/[a-z][a-z0-9]{0,9}/data_drift$";

impl Operation {
    fn new(id: &'static str, tag: Tag, summary: &'static str, answer: Answer) -> Operation {
        Operation {
            id,
            tag,
            summary,
            parameters: &[],
            body: None,
            answer,
            also: &[],
            faults: Faults::Problems,
            is_probe: false,
        }
    }

    fn asks(self, parameters: &'static [Parameter]) -> Operation {
        Operation { parameters, ..self }
    }

    fn takes(self, body: Body, also: &'static [u16]) -> Operation {
        Operation { body: Some(body), also, ..self }
    }

    fn refuses(self, faults: Faults) -> Operation {
        Operation { faults, ..self }
    }

    fn probes(self) -> Operation {
        Operation { is_probe: true, ..self }
    }

    /// The route's description; none of a route that nobody has described.
    pub(super) fn of(method: &Method, path: &str) -> Option<Operation> {
        if let Some(place) = path.strip_prefix("/v2") {
            return open_inference(place);
        }
        let below = path.strip_prefix(OF_A_MODEL);
        match (method.as_str(), below) {
            ("GET", Some(question)) => reading(question),
            ("POST", Some(act)) => working(act),
            ("POST", None) => working(path.strip_prefix("/api/v1/").or(path.strip_prefix('/'))?),
            ("GET", None) => operating(path),
            (_, _) => None,
        }
    }
}

fn working(act: &str) -> Option<Operation> {
    const TRACED: &[Parameter] = &[Parameter::TraceParent];
    Some(match act {
        "predict" => {
            let says = "Predict one row: a probability, or a number with its interval.";
            let predict = Operation::new("predict", Tag::Predict, says, json::<answers::Prediction>());
            predict.takes(Body::Predict, &[409, 422]).asks(TRACED)
        }
        "predict/batch" => {
            let says = "Predict up to 10,000 rows, each answered, or refused with every violation, by itself.";
            let batch = Operation::new("predictBatch", Tag::Predict, says, json::<answers::Batch>());
            batch.takes(Body::Batch, &[409]).asks(TRACED)
        }
        "labels" => {
            let says = "Say what came true of requests: all labels are taken, or none.";
            Operation::new("tellLabels", Tag::Tell, says, json::<answers::Labels>()).takes(Body::Labels, &[422])
        }
        "inferences" => {
            let says = "Say what a model elsewhere has answered: each answer is taken or refused by itself.";
            let told = Operation::new("tellInferences", Tag::Tell, says, json::<answers::Inferences>());
            told.takes(Body::Inferences, &[409])
        }
        "invocations" => {
            let says = "Rows as MLflow's clients send them; all are answered or none. CSV with a header will do, too.";
            let rows = Operation::new("invocations", Tag::Neighbours, says, json::<answers::Predictions>());
            rows.takes(Body::Invocations, &[409, 422]).asks(TRACED)
        }
        _ => return None,
    })
}

/// The Open Inference Protocol, below `/v2`.
fn open_inference(place: &str) -> Option<Operation> {
    let speaks = |id, says, answer| Operation::new(id, Tag::Neighbours, says, answer).refuses(Faults::Errors);
    if let Some(below) = place.strip_prefix("/models/{model}") {
        return match below.strip_prefix("/versions/{version}") {
            Some(of) => of_a_tensor_model(of, ["v2Version", "v2VersionReady", "v2VersionInfer"]),
            None => of_a_tensor_model(below, ["v2Model", "v2ModelReady", "v2ModelInfer"]),
        };
    }
    Some(match place {
        "" => speaks("v2Server", "What speaks here.", an_object()),
        "/health/live" => speaks("v2Live", "Whether the process runs.", an_object()),
        "/health/ready" => speaks("v2Ready", "Whether it can answer.", an_object()).probes(),
        _ => return None,
    })
}

fn of_a_tensor_model(act: &str, [about, ready, infer]: [&'static str; 3]) -> Option<Operation> {
    let speaks = |id, says, answer| Operation::new(id, Tag::Neighbours, says, answer).refuses(Faults::Errors);
    Some(match act {
        "" => speaks(about, "What is to be sent, and what comes back.", json::<answers::Metadata>()),
        "/ready" => speaks(ready, "Whether this model can answer.", an_object()).probes(),
        "/infer" => {
            let says = "A tensor for each feature, a value for each row; all rows are answered or none.";
            let infer = speaks(infer, says, json::<answers::Inferred>());
            infer.takes(Body::Infer, &[409]).asks(&[Parameter::TraceParent])
        }
        _ => return None,
    })
}

fn an_object() -> Answer {
    Answer::Json(|_| json_schema!({ "type": "object" }))
}

fn reading(question: &str) -> Option<Operation> {
    use Parameter::{After, All, Last, Limit, Size, Version};
    let reads = |id, says, answer| Operation::new(id, Tag::Read, says, answer);
    Some(match question {
        "alerts" => reads("readAlerts", "The alerts that stand, or all there were.", json::<Alerts>()).asks(&[
            All,
            Limit,
            After(ALERT),
        ]),
        "metrics/baseline" => reads("readBaseline", "Who serves, and what it is held against.", json::<Champions>()),
        "metrics/latest" => reads("readLatest", "The newest window whose labels were joined.", json::<Latest>()),
        "metrics/history" => {
            reads("readPerformance", "Every report of performance.", json::<Reports<PerformanceReport>>())
                .asks(&[Limit, After(NUMBER)])
        }
        "drift" => {
            reads("readDrift", "The newest reports of drift.", json::<Newest<DriftReport>>()).asks(&[Version, Last])
        }
        "drift/history" => {
            reads("readDrifts", "Every report of drift.", json::<Reports<DriftReport>>()).asks(&[Limit, After(NUMBER)])
        }
        "concept" => reads("readConcept", "Whether the prediction moved while no feature did.", json::<Concept>()),
        "retraining" => reads("readRetraining", "What was last decided on retraining.", json::<Retraining>()),
        "trust" => reads("readTrust", "How far the version that serves may be trusted.", json::<Trusted>()),
        "snapshots" => reads("readSnapshots", "The sealed windows of one size.", json::<Snapshots>()).asks(&[
            Size,
            Limit,
            After(INSTANT),
        ]),
        "state" => reads("readState", "Where every version stands.", json::<Stands>()),
        "history" => reads("readHistory", "The journal.", json::<History>()).asks(&[Limit, After(NUMBER)]),
        "health" => {
            Operation::new("modelHealth", Tag::Operate, "Who answers for this model.", json::<answers::Health>())
        }
        _ => return None,
    })
}

fn operating(path: &str) -> Option<Operation> {
    let operates = |id, says, answer| Operation::new(id, Tag::Operate, says, answer);
    Some(match path {
        "/health" => operates("health", "Who answers, and whether anybody does.", json::<answers::Health>()),
        "/ping" => {
            let says = "Whether it can answer, as MLflow's server says it.";
            Operation::new("ping", Tag::Neighbours, says, Answer::Text("text/plain")).probes()
        }
        "/version" => {
            let says = "The version of Regent, where MLflow's server tells its own.";
            Operation::new("version", Tag::Neighbours, says, Answer::Text("text/plain"))
        }
        "/livez" => operates("livez", "Whether the process runs.", Answer::Text("text/plain")),
        "/readyz" => operates("readyz", "Whether it can answer.", Answer::Text("text/plain")),
        "/metrics" => operates("metrics", "What Prometheus scrapes.", Answer::Text("application/openmetrics-text")),
        "/openapi.json" => operates("openapi", "This description.", Answer::Json(|_| true.into())),
        "/docs" => operates("docs", "This description, for people.", Answer::Text("text/html")),
        "/docs/swagger-ui.css" => operates("docsStyle", "A file of the viewer.", Answer::Text("text/css")),
        "/docs/swagger-ui-bundle.js" => {
            operates("docsViewer", "A file of the viewer.", Answer::Text("text/javascript"))
        }
        "/docs/start.js" => operates("docsStart", "A file of the viewer.", Answer::Text("text/javascript")),
        _ => return None,
    })
}
