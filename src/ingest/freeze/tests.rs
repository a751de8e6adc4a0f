//! Datasets that are sealed, found, forged and joined.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::ingest::{Dataset, RawSchema, Rows, Values, datasets};
use crate::store::{Key, Memory};

const SCHEMA: &str = "
schema: all
columns:
- {name: key, type: id}
- {name: at, type: timestamp}
- {name: day, type: date}
- {name: n, type: integer}
- {name: x, type: float}
- {name: color, type: category, values: [red, green, blue]}
- {name: ok, type: boolean}
- {name: secret, type: float}
";
const HEADER: &str = "key,at,day,n,x,color,ok,secret\n";

fn intake(time: Option<&str>) -> Intake {
    let schema = yaml::read::<RawSchema>("all.yaml", SCHEMA).unwrap().check().unwrap();
    let kept = schema.columns().iter().map(|column| column.name().to_owned()).filter(|name| name != "secret");
    Intake {
        model: "all".parse().unwrap(),
        contract: ContractRef { version: crate::types::Version::FIRST, sha256: Digest::of("contract") },
        kept: kept.collect(),
        columns: schema.columns().to_vec(),
        time: time.map(str::to_owned),
        prediction: None,
    }
}

fn frozen(store: &dyn Store, csv: &str, time: Option<&str>) -> Result<Frozen, IngestError> {
    freeze(Source::new("x.csv", csv.as_bytes()), &intake(time), Cursor::new(Vec::new()), store)
}

fn load(store: &dyn Store, csv: &str, time: Option<&str>) -> Dataset {
    let frozen = frozen(store, csv, time).unwrap();
    Dataset::load(store, &frozen.meta.model, frozen.digest).unwrap()
}

const TWO: &str = "key,at,day,n,x,color,ok,secret
b,2026-01-02T00:00:00.5Z,2026-01-02,-7,1e-300,blue,0,1
a,2026-01-01T00:00:00Z,1969-12-31,9007199254740992,-0.1,red,1,2
";

#[test]
fn a_dataset_holds_the_kept_columns_as_they_were() {
    let dataset = load(&Memory::new(), TWO, Some("at"));
    let columns: Vec<_> = dataset.frame.columns().iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, ["key", "at", "day", "n", "x", "color", "ok"]);
    let column = |name| dataset.frame.column(name).cloned().unwrap();
    assert_eq!(column("key"), Values::Ids(vec!["b".into(), "a".into()]));
    assert_eq!(column("at"), Values::Timestamps(vec![1_767_312_000_500_000, 1_767_225_600_000_000]));
    assert_eq!(column("day"), Values::Dates(vec![20_455, -1]));
    assert_eq!(column("n"), Values::Integers(vec![-7, 1 << 53]));
    assert_eq!(column("x"), Values::Floats(vec![1e-300, -0.1]));
    assert_eq!(column("color"), Values::Categories { table: vec!["blue".into(), "red".into()], codes: vec![0, 1] });
    assert_eq!(column("ok"), Values::Booleans(vec![false, true]));
    let time = dataset.meta.time.unwrap();
    assert_eq!((time.first.as_str(), time.last.as_str()), ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00.500000Z"));
}

#[test]
fn the_same_bytes_find_the_same_dataset() {
    let store = Memory::new();
    let first = frozen(&store, TWO, None).unwrap();
    let again = frozen(&store, TWO, None).unwrap();
    assert_eq!((first.digest, first.already, again.already), (again.digest, false, true));
    let elsewhere = frozen(&Memory::new(), TWO, None).unwrap();
    assert_eq!(first, elsewhere);
    assert_eq!(datasets(&store, &first.meta.model).unwrap(), [(first.digest, first.meta)]);
}

#[test]
fn one_violation_and_nothing_is_written() {
    let store = Memory::new();
    let refused = frozen(&store, &TWO.replace("blue", "Blue"), None);
    assert!(matches!(refused, Err(IngestError::Rejected(_))));
    assert!(store.list_folder(&Key::new("var").unwrap()).unwrap().is_empty());
}

#[test]
fn a_dataset_whose_bytes_were_changed_is_not_loaded() {
    let genuine = Memory::new();
    let Frozen { digest, meta, .. } = frozen(&genuine, TWO, None).unwrap();
    let folder = dataset_key(&meta.model, digest).unwrap();
    for flipped in [FEATURES, SEAL] {
        let forged = Memory::new();
        for name in [FEATURES, SEAL] {
            let key = folder.join(name).unwrap();
            let mut bytes = genuine.read(&key).unwrap();
            if name == flipped {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            }
            forged.create(&key, Body::from(&bytes)).unwrap();
        }
        let loaded = Dataset::load(&forged, &meta.model, digest);
        assert!(matches!(loaded, Err(IngestError::Tampered { .. })), "{flipped}: {loaded:?}");
    }
}

#[test]
fn rows_of_several_datasets_are_put_in_the_order_of_time() {
    let store = Memory::new();
    let row = |n: i32, color: &str| format!("k,2026-01-01T00:00:00Z,2026-01-01,{n},{n},{color},1,0\n");
    let late = format!("{HEADER}{}{}", row(5, "green"), row(3, "green"));
    let early = format!("{HEADER}{}{}", row(1, "red"), row(5, "red"));
    let join = |time| Rows::join([load(&store, &late, time), load(&store, &early, time)]).unwrap();
    let by_time = join(Some("n"));
    assert_eq!(by_time.order, [1, 3, 5, 5]);
    let expected = Values::Categories { table: vec!["green".into(), "red".into()], codes: vec![1, 0, 0, 1] };
    assert_eq!(by_time.frame.column("color"), Some(&expected), "equal times stay in the order of the datasets");
    let by_place = join(None);
    assert_eq!(by_place.order, [0, 1, 2, 3]);
    assert_eq!(by_place.frame.column("n"), Some(&Values::Integers(vec![5, 3, 1, 5])));
    let mixed = Rows::join([load(&store, &late, Some("n")), load(&store, &early, None)]);
    assert!(matches!(mixed, Err(IngestError::Inconsistent { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn what_is_frozen_is_loaded_again(
        rows in prop::collection::vec((any::<f64>().prop_filter("finite", |x| x.is_finite()), -1_000_000i64..1_000_000, 0usize..3, any::<bool>()), 1..200),
    ) {
        let mut csv = HEADER.to_owned();
        for (x, n, color, ok) in &rows {
            let color = ["red", "green", "blue"][*color];
            csv += &format!("\"q\"\"{n}\",2026-01-01T00:00:00Z,2026-01-01,{n},{x:?},{color},{ok},1\n");
        }
        let dataset = load(&Memory::new(), &csv, Some("n"));
        prop_assert_eq!(dataset.frame.column("x"), Some(&Values::Floats(rows.iter().map(|row| row.0).collect())));
        prop_assert_eq!(dataset.frame.column("ok"), Some(&Values::Booleans(rows.iter().map(|row| row.3).collect())));
        let keys = rows.iter().map(|row| format!("q\"{}", row.1)).collect();
        prop_assert_eq!(dataset.frame.column("key"), Some(&Values::Ids(keys)));
        let Some(Values::Categories { table, codes }) = dataset.frame.column("color") else { panic!() };
        for (code, row) in codes.iter().zip(&rows) {
            prop_assert_eq!(table[*code as usize].as_str(), ["red", "green", "blue"][row.2]);
        }
    }
}
