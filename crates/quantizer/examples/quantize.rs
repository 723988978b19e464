//! `quantize NET.param NET.bin IMAGES PREFIX` makes an int8 network and says what it does. Enter stops it.

use std::sync::atomic::{AtomicBool, Ordering};

use quantizer::{Error, Model, Options, Pipeline, Progress, Result};

static STOPPED: AtomicBool = AtomicBool::new(false);

struct UntilEnter;

impl Progress for UntilEnter {
    fn start(&self, stage: &str, steps: usize) {
        eprintln!("{stage} ({steps})");
    }
    fn is_cancelled(&self) -> bool {
        STOPPED.load(Ordering::Relaxed)
    }
}

fn main() -> Result<()> {
    std::thread::spawn(|| STOPPED.store(std::io::stdin().lines().next().is_some(), Ordering::Relaxed));
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [param, bin, images, prefix] = args.as_slice() else { return Err(Error::invalid("expected four arguments")) };
    let model = Model::load(param, bin)?;
    let options = Options::default().set("images", images)?.set("optimize", "true")?;
    let samples = options.dataset(&model)?;
    let result = Pipeline::new(&model).options(options).run(&samples, &UntilEnter)?;
    result.remarks.iter().for_each(|remark| eprintln!("{}: {remark}", remark.severity));
    result.save(prefix).map(drop)
}
