//! Families of samples as OpenMetrics text, by Prometheus' own encoder; pure. Help and type stand before the samples of each.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::serve::Bars;

/// Names and values, each name once.
pub(super) type Labels = Vec<(&'static str, String)>;

/// A metric with all its samples.
#[derive(Debug)]
pub(super) struct Family {
    /// Without `_total`, `_info` and the like, which follow from the kind.
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) samples: Samples,
}

/// The samples of a family, all of one kind.
#[derive(Debug)]
pub(super) enum Samples {
    Counts(Vec<(Labels, u64)>),
    Gauges(Vec<(Labels, f64)>),
    /// What is so; its value is 1.
    Infos(Vec<Labels>),
    Histograms(Vec<(Labels, Histogram)>),
}

/// A histogram as it is told.
#[derive(Debug)]
pub(super) struct Histogram {
    sum: f64,
    bars: Vec<(f64, u64)>,
}

impl From<&Bars> for Histogram {
    fn from(bars: &Bars) -> Self {
        Histogram { sum: bars.sum(), bars: bars.bars() }
    }
}

impl Samples {
    fn kind(&self) -> MetricType {
        match self {
            Samples::Counts(_) => MetricType::Counter,
            Samples::Gauges(_) => MetricType::Gauge,
            Samples::Infos(_) => MetricType::Info,
            Samples::Histograms(_) => MetricType::Histogram,
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Samples::Counts(samples) => samples.is_empty(),
            Samples::Gauges(samples) => samples.is_empty(),
            Samples::Infos(samples) => samples.is_empty(),
            Samples::Histograms(samples) => samples.is_empty(),
        }
    }
}

#[derive(Debug)]
struct Exposition(Vec<Family>);

impl Collector for Exposition {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        for Family { name, help, samples } in self.0.iter().filter(|family| !family.samples.is_empty()) {
            let mut metric = encoder.encode_descriptor(name, help, None, samples.kind())?;
            match samples {
                Samples::Counts(samples) => {
                    for (labels, count) in samples {
                        metric.encode_family(labels)?.encode_counter::<NoLabelSet, _, f64>(count, None)?;
                    }
                }
                Samples::Gauges(samples) => {
                    for (labels, value) in samples {
                        match labels.is_empty() {
                            true => metric.encode_gauge(value)?,
                            false => metric.encode_family(labels)?.encode_gauge(value)?,
                        }
                    }
                }
                Samples::Infos(samples) => {
                    for labels in samples {
                        metric.encode_info(labels)?;
                    }
                }
                Samples::Histograms(samples) => {
                    for (labels, Histogram { sum, bars }) in samples {
                        let count = bars.iter().map(|(_, count)| count).sum();
                        metric.encode_family(labels)?.encode_histogram::<NoLabelSet>(*sum, count, bars, None)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The whole text; a family without samples is left out.
pub(super) fn expose(families: Vec<Family>) -> Result<String, fmt::Error> {
    let (mut registry, mut text) = (Registry::default(), String::new());
    registry.register_collector(Box::new(Exposition(families)));
    encode(&mut text, &registry)?;
    Ok(text)
}
