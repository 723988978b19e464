//! What the kernels cost when somebody last agreed to it: `benches/arm-cost.json`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ncnn_format::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::models::repository;

/// A kernel that executes more than this many times the instructions of the baseline is dearer.
const DEARER: f64 = 1.02;

/// Classes that hold the C library, which differs from system to system.
const LIBRARIES: [&str; 2] = ["rest", "all"];

/// Parts with fewer instructions than this may grow: a hundred more are no news.
const LEAST: u64 = 20_000;

/// The stored costs.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Baseline {
    /// The compiler that made the counted programs.
    pub rustc: String,
    /// The major version of llvm-mca.
    pub llvm: String,
    /// By `CPU network`.
    pub inferences: BTreeMap<String, Inference>,
}

/// Costs of one inference.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Inference {
    /// Instructions by class, and of all.
    pub classes: BTreeMap<String, u64>,
    /// Instructions by function of a kernel.
    pub kernels: BTreeMap<String, u64>,
    /// Modelled cycles by function of a kernel, on the model of the CPU that `model` names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cycles: BTreeMap<String, u64>,
    /// The CPU that llvm-mca models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl Baseline {
    /// The committed one.
    ///
    /// # Errors
    /// `Io` when it cannot be read, `Malformed` when it is not what `--update` writes.
    pub(crate) fn load() -> Result<Self> {
        let file = file();
        let text =
            std::fs::read_to_string(&file).map_err(|error| Error::io("cannot read the baseline", &file, error))?;
        serde_json::from_str(&text).map_err(|error| Error::malformed(error.to_string()).in_file(&file))
    }

    /// Makes this one the committed one.
    ///
    /// # Errors
    /// `Io` when it cannot be written.
    pub(crate) fn save(&self) -> Result<()> {
        let file = file();
        let text = serde_json::to_string_pretty(self).map_err(|error| Error::invalid(error.to_string()))?;
        std::fs::write(&file, text + "\n").map_err(|error| Error::io("cannot write the baseline", &file, error))
    }

    /// What costs more than in `self`, a sentence each.
    pub(crate) fn dearer(&self, now: &Self) -> Vec<String> {
        let mut dearer = Vec::new();
        for (inference, found) in &now.inferences {
            let Some(base) = self.inferences.get(inference) else {
                dearer.push(format!("{inference} is not in the baseline"));
                continue;
            };
            for (base, found) in [(&base.classes, &found.classes), (&base.kernels, &found.kernels)] {
                // A function that is new or gone shows in its class.
                for (name, &count) in found.iter().filter(|(name, _)| !LIBRARIES.contains(&name.as_str())) {
                    let Some(&before) = base.get(name) else { continue };
                    if count >= LEAST && count as f64 > DEARER * before as f64 {
                        let percent = 100.0 * (count as f64 / before as f64 - 1.0);
                        dearer.push(format!("{inference}: {name} {before} → {count} instructions (+{percent:.1} %)"));
                    }
                }
            }
        }
        dearer
    }
}

fn file() -> PathBuf {
    repository().join("benches").join("arm-cost.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(kernel: u64, class: u64) -> Baseline {
        let inference = Inference {
            classes: BTreeMap::from([("dense".to_owned(), class)]),
            kernels: BTreeMap::from([("neon::tile".to_owned(), kernel)]),
            ..Inference::default()
        };
        Baseline { inferences: BTreeMap::from([("a53 net".to_owned(), inference)]), ..Baseline::default() }
    }

    #[test]
    fn two_percent_more_is_dearer_and_less_is_not() {
        let base = with(1_000_000, 2_000_000);
        assert_eq!(base.dearer(&with(1_019_999, 2_039_999)), [""; 0]);
        assert_eq!(base.dearer(&with(500_000, 1_000_000)), [""; 0]);
        let sentence = "a53 net: neon::tile 1000000 → 1030000 instructions (+3.0 %)";
        assert_eq!(base.dearer(&with(1_030_000, 2_000_000)), [sentence]);
        assert_eq!(base.dearer(&with(1_000_000, 2_100_000)).len(), 1);
        assert_eq!(Baseline::default().dearer(&base), ["a53 net is not in the baseline"]);
    }

    #[test]
    fn a_few_instructions_more_are_no_news() {
        assert_eq!(with(1000, 1000).dearer(&with(3000, 3000)), [""; 0]);
    }

    #[test]
    fn what_is_new_or_gone_shows_in_its_class_only() {
        let mut now = with(1_000_000, 2_000_000);
        let inference = now.inferences.get_mut("a53 net").unwrap();
        inference.kernels = BTreeMap::from([("neon::other".to_owned(), 9_000_000)]);
        assert_eq!(with(1_000_000, 2_000_000).dearer(&now), [""; 0]);
    }

    #[test]
    fn the_c_library_may_cost_what_it_likes() {
        let class = |name: &str, count: u64| Baseline {
            inferences: BTreeMap::from([(
                "a53 net".to_owned(),
                Inference { classes: BTreeMap::from([(name.to_owned(), count)]), ..Inference::default() },
            )]),
            ..Baseline::default()
        };
        for name in LIBRARIES {
            assert_eq!(class(name, 1_000_000).dearer(&class(name, 9_000_000)), [""; 0]);
        }
        assert_eq!(class("convert", 1_000_000).dearer(&class("convert", 9_000_000)).len(), 1);
    }

    #[test]
    fn a_baseline_is_read_as_it_was_written() {
        let mut stored = with(1, 2);
        stored.rustc = "rustc 1.0".to_owned();
        for cycles in [BTreeMap::new(), BTreeMap::from([("neon::tile".to_owned(), 7)])] {
            let inference = stored.inferences.get_mut("a53 net").unwrap();
            inference.model = (!cycles.is_empty()).then(|| "cortex-a53".to_owned());
            inference.cycles = cycles;
            let text = serde_json::to_string(&stored).unwrap();
            assert_eq!(serde_json::from_str::<Baseline>(&text).unwrap(), stored, "{text}");
        }
    }

    #[test]
    fn the_committed_baseline_has_a_class_for_everything_that_was_counted() {
        let committed = Baseline::load().unwrap();
        assert!(!committed.inferences.is_empty());
        for (name, inference) in &committed.inferences {
            let all = inference.classes["all"];
            let sum: u64 = inference.classes.iter().filter(|(class, _)| *class != "all").map(|(_, count)| count).sum();
            assert_eq!(sum, all, "{name}");
            assert!(inference.kernels.values().sum::<u64>() <= all, "{name}");
            assert_eq!(inference.model.is_some(), !inference.cycles.is_empty(), "{name}");
        }
    }
}
