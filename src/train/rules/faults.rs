//! What contradicts itself in the rules of training; pure. Every fault is told, not the first.

use super::{ForestRules, LookBack, Part, TrainRules};

impl TrainRules {
    /// What contradicts itself: (key, what to write).
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        self.grid_faults(&mut faults);
        let parts = [
            ("report", self.report),
            ("calibrate", self.calibrate),
            ("validate", self.validate),
            ("baseline.report", self.baseline.report),
            ("baseline.calibrate", self.baseline.calibrate),
            ("gbdt.leaf", self.gbdt.leaf),
            ("random_forest.leaf", self.random_forest.leaf),
        ];
        faults.extend(parts.into_iter().filter_map(|(key, part)| Some((key, part.fault()?))));
        let rows_for_parts = self.report.at_least + self.calibrate.at_least;
        if self.min_rows < 2 * rows_for_parts {
            let what = format!("{} is below twice what report and calibrate take, {rows_for_parts}", self.min_rows);
            faults.push(("min_rows", what));
        }
        for (key, number) in [("platt_prior", self.platt_prior), ("ridge", self.ridge)] {
            if !(number.is_finite() && number > 0.0) {
                faults.push((key, format!("{number} is not above 0")));
            }
        }
        if !(self.patience.is_finite() && self.patience >= 0.0) {
            faults.push(("patience", format!("{} is not 0 or above", self.patience)));
        }
        if !(self.interval_level > 0.0 && self.interval_level < 1.0) {
            faults.push(("interval_level", format!("{} is not between 0 and 1", self.interval_level)));
        }
        for (key, count) in [("min_class_rows", self.min_class_rows), ("importance_rows", self.importance_rows)] {
            if count == 0 {
                faults.push((key, "0 is not above 0".to_owned()));
            }
        }
        faults.extend(self.gbdt.fault().map(|what| ("gbdt", what)));
        faults.extend(self.random_forest.fault().map(|what| ("random_forest", what)));
        faults
    }

    fn grid_faults(&self, faults: &mut Vec<(&'static str, String)>) {
        let rows = |look_back: &LookBack| match look_back {
            LookBack::All => u64::MAX,
            LookBack::Rows(rows) => *rows,
        };
        let rising = self.look_backs.windows(2).all(|pair| pair.iter().map(rows).is_sorted_by(|a, b| a < b));
        match self.look_backs.first() {
            None => faults.push(("look_backs", "there is none: write at least one".to_owned())),
            Some(first) if rows(first) < self.min_rows => {
                faults.push(("look_backs", format!("{} is below min_rows {}", rows(first), self.min_rows)));
            }
            Some(_) if !rising => {
                faults.push(("look_backs", "they must rise, with `all` last".to_owned()));
            }
            Some(_) => {}
        }
        if self.families.is_empty() {
            faults.push(("families", "there is none: write at least one".to_owned()));
        }
    }
}

impl Part {
    fn fault(&self) -> Option<String> {
        if !(self.share > 0.0 && self.share < 1.0) {
            return Some(format!("its share {} is not between 0 and 1", self.share));
        }
        (self.at_least == 0 || self.at_least > self.at_most)
            .then(|| format!("at_least {} and at_most {} must rise from 1", self.at_least, self.at_most))
    }
}

impl ForestRules {
    fn fault(&self) -> Option<String> {
        let share = |share: f64| share > 0.0 && share <= 1.0;
        let wants = [
            (self.trees >= 1, "trees of at least 1"),
            (self.leaves >= 2, "leaves of at least 2"),
            (self.learning_rate.is_finite() && self.learning_rate > 0.0, "a learning_rate above 0"),
            (self.l2.is_finite() && self.l2 >= 0.0, "an l2 of 0 or above"),
            (share(self.feature_share), "a feature_share above 0, at most 1"),
            (share(self.row_share), "a row_share above 0, at most 1"),
            ((2..=255).contains(&self.bins), "bins from 2 to 255"),
        ];
        wants.into_iter().find_map(|(holds, want)| (!holds).then(|| format!("it needs {want}")))
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn the_defaults_do_not_contradict_themselves() {
        assert_eq!(TrainRules::DEFAULTS.faults(), []);
    }

    #[test]
    fn look_backs_are_numbers_or_all() {
        let rules: TrainRules = serde_json::from_str(r#"{"look_backs": [300, "all"]}"#).unwrap();
        assert_eq!(*rules.look_backs, [LookBack::Rows(300), LookBack::All]);
        let json = serde_json::to_string(&rules).unwrap();
        assert_eq!(serde_json::from_str::<TrainRules>(&json).unwrap(), rules);
        assert!(serde_json::from_str::<TrainRules>(r#"{"look_backs": ["some"]}"#).is_err());
    }

    #[test]
    fn every_contradiction_is_named() {
        let rules = TrainRules {
            look_backs: Cow::Borrowed(&[LookBack::All, LookBack::Rows(500)]),
            families: Cow::Borrowed(&[]),
            report: Part { share: 1.0, at_least: 50, at_most: 250 },
            patience: f64::NAN,
            ridge: 0.0,
            ..TrainRules::DEFAULTS
        };
        let keys: Vec<_> = rules.faults().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["look_backs", "families", "report", "ridge", "patience"]);
    }
}
