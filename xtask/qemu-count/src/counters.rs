//! Counters by address, and what they say by symbol.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

/// All counters, and the text of the marks so far.
pub struct Counters {
    by_address: BTreeMap<u64, (&'static AtomicU64, usize)>,
    symbols: BTreeMap<String, usize>,
    /// Counts by symbol at the last mark.
    marked: Vec<u64>,
    text: String,
    file: String,
}

impl Counters {
    /// None.
    pub const fn new() -> Self {
        Self {
            by_address: BTreeMap::new(),
            symbols: BTreeMap::new(),
            marked: Vec::new(),
            text: String::new(),
            file: String::new(),
        }
    }

    /// Where [`Counters::write`] writes.
    pub fn set_file(&mut self, file: &str) {
        file.clone_into(&mut self.file);
    }

    /// The counter of the instruction at `address`, of which qemu may make several translations.
    pub fn counter(&mut self, address: u64, symbol: impl FnOnce() -> String) -> &'static AtomicU64 {
        let symbols = &mut self.symbols;
        let new = || {
            let next = symbols.len();
            let symbol = *symbols.entry(symbol()).or_insert(next);
            // Translated code adds to it until the process ends.
            (&*Box::leak(Box::new(AtomicU64::new(0))), symbol)
        };
        self.by_address.entry(address).or_insert_with(new).0
    }

    /// Writes down what ran since the last mark.
    pub fn mark(&mut self) {
        let mut counts = vec![0; self.symbols.len()];
        for (counter, symbol) in self.by_address.values() {
            counts[*symbol] += counter.load(Ordering::Relaxed);
        }
        self.marked.resize(counts.len(), 0);
        for (symbol, &index) in &self.symbols {
            let ran = counts[index] - self.marked[index];
            if ran > 0 {
                // Writing to a string does not fail.
                let _ = writeln!(self.text, "+ {ran} {symbol}");
            }
        }
        self.text += "mark\n";
        self.marked = counts;
    }

    /// Writes everything; `start` is where the program's code lies.
    ///
    /// # Errors
    /// Those of writing the file.
    pub fn write(&mut self, start: u64) -> io::Result<()> {
        let mut names = vec![""; self.symbols.len()];
        for (symbol, &index) in &self.symbols {
            names[index] = symbol;
        }
        let _ = writeln!(self.text, "start {start:x}");
        for (address, (counter, symbol)) in &self.by_address {
            let count = counter.load(Ordering::Relaxed);
            if count > 0 {
                let _ = writeln!(self.text, "pc {address:x} {count} {}", names[*symbol]);
            }
        }
        std::fs::write(&self.file, &self.text)
    }
}
