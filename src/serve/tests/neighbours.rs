//! Several models behind one door, and the words of MLflow and of the Open Inference Protocol, told to both doors by a real client;
//! a test module.

use super::*;
use crate::serve::fixture::Memo;

/// `rain` says the humidity, `snow` half of it; both remember in one memo.
fn two_models() -> (Models, Arc<Memo>) {
    let (rain, memo) = a_wiring(Some(serving(a_model(Version::FIRST, 1.0), Some(a_model(Version::new(1, 1, 0), 1.0)))));
    let (snow, _) = a_wiring(Some(serving(a_model(Version::new(2, 3, 4), 0.5), None)));
    (Models::new("rain".parse().unwrap(), rain).and("snow".parse().unwrap(), snow), memo)
}

fn json_of((status, body): (u16, String)) -> (u16, Value) {
    (status, serde_json::from_str(&body).unwrap())
}

#[rstest]
fn a_path_names_its_model_and_a_path_without_a_name_means_the_first(#[values(Door::Hyper, Door::Tiny)] door: Door) {
    let open = door.open(finish(routes(two_models().0)));
    let ask = |path: &str| open.send(path, &a_request(40.0, Some(Uuid::from_u128(7))));
    let said = |path: &str| {
        let (status, _, said) = ask(path);
        (status, said["model_version"].clone(), said["probability"].clone())
    };
    assert_eq!(said("/api/v1/predict"), (200, json!("1.0.0"), json!(0.4)));
    assert_eq!(said("/api/v1/models/rain/predict"), (200, json!("1.0.0"), json!(0.4)));
    assert_eq!(said("/api/v1/models/snow/predict"), (200, json!("2.3.4"), json!(0.2)));
    assert_eq!(said("/api/v1/models/sn%6Fw/predict"), (200, json!("2.3.4"), json!(0.2)));
    for path in ["hail/predict", "hail/predict/batch", "hail/labels", "hail/inferences", "%ff/predict", "RAIN/predict"]
    {
        let (status, kind, said) = ask(&format!("/api/v1/models/{path}"));
        assert_eq!((status, kind.as_str()), (404, "application/problem+json"), "{path}");
        assert_eq!(said["type"], "urn:regent:problem:unknown-model");
    }
    assert_eq!(json_of(open.get("/api/v1/models/snow/health")).1["model_version"], "2.3.4");
    assert_eq!(json_of(open.get("/health")).1["model_version"], "1.0.0");
}

#[rstest]
fn mlflows_clients_are_answered_row_by_row_and_each_row_is_an_event(
    #[values(Door::Hyper, Door::Tiny)] door: Door,
    #[values("/invocations", "/api/v1/models/rain/invocations")] path: &str,
) {
    let (models, memo) = two_models();
    let open = door.open(finish(routes(models)));
    let row = |humidity: f64| json!({"temperature": 1, "humidity": humidity, "station": "south", "windy": true});
    let (status, kind, said) = open.send(path, &json!({"dataframe_records": [row(40.0), row(25.0)]}).to_string());
    assert_eq!((status, kind.as_str()), (200, "application/json"));
    assert_eq!(said["predictions"], json!([0.4, 0.25]));
    let ids: Vec<Uuid> = serde_json::from_value(said["request_ids"].clone()).unwrap();
    assert!(ids.len() == 2 && ids[0] != ids[1]);
    let events = ["event scored", "event scored", "count scored", "count scored", "mirror 1.1.0", "mirror 1.1.0"];
    assert_eq!(memo.all(), events);

    // Of three rows one is refused: it is told and remembered, and nothing else is.
    let (status, _, said) = open.send(path, &json!({"inputs": [row(1.0), row(400.0), row(2.0)]}).to_string());
    assert_eq!((status, &said["type"]), (422, &json!("urn:regent:problem:contract-violation")));
    assert_eq!(said["detail"], "1 of 3 rows are refused, so none is answered");
    assert_eq!(
        (&said["errors"][0]["feature"], &said["errors"][0]["code"]),
        (&json!("rows[1].humidity"), &json!("out_of_range"))
    );
    assert_eq!(memo.all()[6..], ["event refused", "count refused"]);
}

#[rstest]
fn mlflows_csv_pings_and_faults(#[values(Door::Hyper, Door::Tiny)] door: Door) {
    let open = door.open(finish(routes(two_models().0)));
    let send = |kind: &str, body: &str| {
        let url = format!("http://{}/invocations", open.address);
        let mut answer = Open::agent().post(url).header("content-type", kind).send(body).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_json::<Value>().unwrap())
    };
    let csv = "temperature,humidity,station,windy\n1,40,south,true\n1,25,north,False\n";
    let (status, said) = send("text/csv; charset=utf-8", csv);
    assert_eq!((status, &said["predictions"]), (200, &json!([0.4, 0.25])));
    // Brackets of a table are no depth.
    let (status, said) =
        send("text/csv", &format!("temperature,humidity,station,windy\n1,40,\"{}\",true\n", "[".repeat(100)));
    assert_eq!((status, &said["errors"][0]["feature"]), (422, &json!("station")));
    assert_eq!(send("text/plain", csv).0, 415);
    assert_eq!(send("application/json", csv).0, 400);
    assert_eq!(send("application/json", "{}").1["type"], "urn:regent:problem:malformed-request");
    assert_eq!((open.get("/ping"), open.get("/version").0), ((200, "\n".to_owned()), 200));
    let waiting = door.open(rain(None));
    assert_eq!((waiting.get("/ping").0, waiting.send("/invocations", r#"{"inputs":[]}"#).0), (503, 503));
}

fn tensors(humidity: &[f64]) -> Value {
    let n = humidity.len();
    json!([
        {"name": "temperature", "datatype": "FP64", "shape": [n], "data": vec![1.5; n]},
        {"name": "humidity", "datatype": "FP32", "shape": [n, 1], "data": humidity},
        {"name": "station", "datatype": "BYTES", "shape": [n], "data": vec!["south"; n]},
        {"name": "windy", "datatype": "BOOL", "shape": [n], "data": vec![true; n]},
    ])
}

#[rstest]
fn tensors_are_answered_with_tensors(
    #[values(Door::Hyper, Door::Tiny)] door: Door,
    #[values("/v2/models/rain/infer", "/v2/models/rain/versions/1.0.0/infer")] path: &str,
) {
    let (models, memo) = two_models();
    let open = door.open(finish(routes(models)));
    let (status, kind, said) = open.send(path, &json!({"id": "a", "inputs": tensors(&[40.0, 25.0])}).to_string());
    assert_eq!((status, kind.as_str()), (200, "application/json"), "{said}");
    assert_eq!(
        (&said["model_name"], &said["model_version"], &said["id"]),
        (&json!("rain"), &json!("1.0.0"), &json!("a"))
    );
    let probability = json!({"name": "probability", "datatype": "FP64", "shape": [2], "data": [0.4, 0.25]});
    assert_eq!(said["outputs"][0], probability);
    assert_eq!((&said["outputs"][1]["name"], &said["outputs"][1]["datatype"]), (&json!("request_id"), &json!("BYTES")));
    assert_eq!(memo.all().len(), 6);

    // The id of a request of one row is the row's, if it can be one; outputs come as they are asked for.
    let id = Uuid::from_u128(7).to_string();
    let wanted = json!([{"name": "request_id"}]);
    let (_, _, said) = open.send(path, &json!({"id": id, "outputs": wanted, "inputs": tensors(&[40.0])}).to_string());
    let own = json!([{"name": "request_id", "datatype": "BYTES", "shape": [1], "data": [id]}]);
    assert_eq!((&said["outputs"], said["id"].as_str()), (&own, Some(id.as_str())));

    // What a caller can mend is a 400 with one sentence.
    let (status, _, said) = open.send(path, &json!({"inputs": tensors(&[40.0, 400.0])}).to_string());
    let told = said["error"].as_str().unwrap();
    assert_eq!(status, 400);
    assert!(told.contains("1 of 2 rows") && told.contains("rows[1].humidity: must be"), "{told}");
    assert_eq!(memo.all()[9..], ["event refused", "count refused"]);
    for body in [json!({}), json!({"inputs": []}), json!({"inputs": tensors(&[1.0]), "outputs": [{"name": "x"}]})] {
        let (status, _, said) = open.send(path, &body.to_string());
        assert!(status == 400 && said["error"].is_string(), "{body}: {said}");
    }
}

#[rstest]
fn the_protocol_tells_what_is_to_be_sent_and_who_answers(#[values(Door::Hyper, Door::Tiny)] door: Door) {
    let (number, _) = a_wiring(Some(serving(a_regression(Version::new(3, 0, 0), 2.0), None)));
    let open = door.open(finish(routes(two_models().0.and("mm".parse().unwrap(), number))));
    let (_, said) = json_of(open.get("/v2/models/rain"));
    let tensor = |name: &str, datatype: &str| json!({"name": name, "datatype": datatype, "shape": [-1]});
    let inputs = [("temperature", "FP64"), ("humidity", "FP64"), ("station", "BYTES"), ("windy", "BOOL")];
    let expected = json!({
        "name": "rain", "versions": ["1.0.0"], "platform": "regent",
        "inputs": inputs.map(|(name, datatype)| tensor(name, datatype)),
        "outputs": [tensor("probability", "FP64"), tensor("request_id", "BYTES")],
    });
    assert_eq!(said, expected);
    let (_, said) = json_of(open.get("/v2/models/mm/versions/3.0.0"));
    assert_eq!(said["outputs"][1], json!({"name": "interval", "datatype": "FP64", "shape": [-1, 2]}));
    let (_, _, said) = open.send("/v2/models/mm/infer", &json!({"inputs": tensors(&[40.0, 25.0])}).to_string());
    let interval = json!({"name": "interval", "datatype": "FP64", "shape": [2, 2], "data": [2.0, 4.0, 2.0, 4.0]});
    assert_eq!((&said["outputs"][0]["data"], &said["outputs"][1]), (&json!([3.0, 3.0]), &interval));

    for (path, status) in [
        ("/v2", 200),
        ("/v2/health/live", 200),
        ("/v2/health/ready", 200),
        ("/v2/models/snow/ready", 200),
        ("/v2/models/snow/versions/2.3.4/ready", 200),
        ("/v2/models/snow/versions/1.0.0/ready", 404),
        ("/v2/models/snow/versions/1.0.0", 404),
        ("/v2/models/snow/versions/latest", 404),
        ("/v2/models/hail", 404),
        ("/v2/models/hail/ready", 404),
    ] {
        let (found, said) = json_of(open.get(path));
        assert_eq!((found, said.get("error").is_some()), (status, status != 200), "{path}: {said}");
    }
    assert_eq!(open.send("/v2/models/hail/infer", "{}").0, 404);
    assert_eq!(
        open.send("/v2/models/snow/versions/9.0.0/infer", &json!({"inputs": tensors(&[1.0])}).to_string()).0,
        404
    );
    let waiting = door.open(rain(None));
    for (path, status) in
        [("/v2/health/live", 200), ("/v2/health/ready", 503), ("/v2/models/rain/ready", 503), ("/v2/models/rain", 503)]
    {
        assert_eq!(waiting.get(path).0, status, "{path}");
    }
}
