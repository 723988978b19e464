//! Counts the instructions that a program executes under qemu-user, by address and symbol.
//!
//! `qemu-aarch64 -plugin libqemu_count.so,out=FILE PROGRAM`, for qemu 7.2 and later (plugin interface version 1).
//! Counts repeat exactly for programs of one thread. Written to `FILE` at the end, numbers in hexadecimal where
//! they are addresses:
//!
//! ```text
//! + COUNT SYMBOL            instructions since the mark before, for every symbol that ran
//! mark                      the program asked for the time
//! …
//! start ADDRESS             where the program's code lies
//! pc ADDRESS COUNT SYMBOL   for every instruction that ran
//! ```
//!
//! Marks are the system calls that read a clock: a program that reads one at the start and end of each of its
//! steps gets counts by step.
//!
//! `unsafe` is here because qemu calls and is called through C.

mod counters;
mod qemu;

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::{Mutex, PoisonError};

use counters::Counters;
use qemu::{Block, PluginId};

/// The version of the interface that qemu looks for.
#[unsafe(no_mangle)]
pub static qemu_plugin_version: c_int = 1;

/// `clock_gettime` of aarch64 and riscv64, and the two of arm.
const CLOCKS: [i64; 3] = [113, 263, 403];

static COUNTERS: Mutex<Counters> = Mutex::new(Counters::new());

fn with_counters<T>(act: impl FnOnce(&mut Counters) -> T) -> T {
    act(&mut COUNTERS.lock().unwrap_or_else(PoisonError::into_inner))
}

extern "C" fn translated(_: PluginId, block: *mut Block) {
    with_counters(|counters| {
        for instruction in qemu::instructions(block) {
            let address = instruction.address();
            let counter = counters.counter(address, || instruction.symbol());
            instruction.count_in(counter);
        }
    });
}

#[allow(clippy::too_many_arguments, reason = "qemu passes that many")]
extern "C" fn called(
    _: PluginId,
    _: c_uint,
    number: i64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
    _: u64,
) {
    if CLOCKS.contains(&number) {
        with_counters(Counters::mark);
    }
}

extern "C" fn ended(_: PluginId, _: *mut c_void) {
    if let Err(error) = with_counters(|counters| counters.write(qemu::start_of_code())) {
        eprintln!("qemu-count: {error}");
    }
}

/// What qemu calls first, with the plugin's arguments.
///
/// # Safety
/// `arguments` points to `count` strings that end with a zero, as qemu passes them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qemu_plugin_install(
    id: PluginId,
    _: *const c_void,
    count: c_int,
    arguments: *const *const c_char,
) -> c_int {
    for index in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: the index is below the count of arguments.
        let argument = unsafe { arguments.add(index) };
        // SAFETY: it points to one of the arguments.
        let argument = unsafe { *argument };
        // SAFETY: each argument is a string that ends with a zero.
        let argument = unsafe { CStr::from_ptr(argument) }.to_string_lossy();
        match argument.split_once('=') {
            Some(("out", file)) => with_counters(|counters| counters.set_file(file)),
            _ => {
                eprintln!("qemu-count: the one argument is out=FILE, found {argument}");
                return -1;
            }
        }
    }
    qemu::register(id, translated, called, ended);
    0
}
