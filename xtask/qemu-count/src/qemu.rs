//! The part of qemu's plugin interface that counting needs.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr::null_mut;
use std::sync::atomic::AtomicU64;

/// What qemu calls this plugin.
pub type PluginId = u64;

/// A block of instructions that is translated at once.
#[repr(C)]
pub struct Block {
    _private: [u8; 0],
}

#[repr(C)]
struct RawInstruction {
    _private: [u8; 0],
}

/// Called when a block is translated.
pub type Translated = extern "C" fn(PluginId, *mut Block);
/// Called before a system call: virtual CPU, number, eight arguments.
pub type Called = extern "C" fn(PluginId, c_uint, i64, u64, u64, u64, u64, u64, u64, u64, u64);
/// Called at the end.
pub type Ended = extern "C" fn(PluginId, *mut c_void);

/// `QEMU_PLUGIN_INLINE_ADD_U64`.
const ADD: c_int = 0;

unsafe extern "C" {
    fn qemu_plugin_register_vcpu_tb_trans_cb(id: PluginId, callback: Translated);
    fn qemu_plugin_register_vcpu_syscall_cb(id: PluginId, callback: Called);
    fn qemu_plugin_register_atexit_cb(id: PluginId, callback: Ended, data: *mut c_void);
    fn qemu_plugin_tb_n_insns(block: *const Block) -> usize;
    fn qemu_plugin_tb_get_insn(block: *const Block, index: usize) -> *mut RawInstruction;
    fn qemu_plugin_insn_vaddr(instruction: *const RawInstruction) -> u64;
    fn qemu_plugin_insn_symbol(instruction: *const RawInstruction) -> *const c_char;
    fn qemu_plugin_register_vcpu_insn_exec_inline(
        instruction: *mut RawInstruction,
        operation: c_int,
        counter: *mut c_void,
        amount: u64,
    );
    safe fn qemu_plugin_start_code() -> u64;
}

/// An instruction of the block that is being translated.
pub struct Instruction(*mut RawInstruction);

/// The instructions of `block`, which qemu has just handed to the plugin.
pub fn instructions(block: *mut Block) -> impl Iterator<Item = Instruction> {
    // SAFETY: qemu passes a block that is valid until the callback returns.
    let count = unsafe { qemu_plugin_tb_n_insns(block) };
    (0..count).map(move |index| {
        // SAFETY: the block is valid and the index below its count.
        Instruction(unsafe { qemu_plugin_tb_get_insn(block, index) })
    })
}

impl Instruction {
    /// Where it lies in the emulated memory.
    pub fn address(&self) -> u64 {
        // SAFETY: the instruction belongs to the block of the running callback.
        unsafe { qemu_plugin_insn_vaddr(self.0) }
    }

    /// The name of the function, as the program file has it; `?` without one.
    pub fn symbol(&self) -> String {
        // SAFETY: the instruction belongs to the block of the running callback.
        let name = unsafe { qemu_plugin_insn_symbol(self.0) };
        if name.is_null() {
            return "?".to_owned();
        }
        // SAFETY: a name that is not null ends with a zero and lives as long as the program's symbols.
        unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
    }

    /// Has every execution add one to `counter`.
    pub fn count_in(&self, counter: &'static AtomicU64) {
        // SAFETY: the instruction belongs to the block of the running callback, and the counter lives for ever.
        unsafe { qemu_plugin_register_vcpu_insn_exec_inline(self.0, ADD, counter.as_ptr().cast(), 1) };
    }
}

/// Where the program's code starts in the emulated memory.
pub fn start_of_code() -> u64 {
    qemu_plugin_start_code()
}

/// Registers the three callbacks.
pub fn register(id: PluginId, translated: Translated, called: Called, ended: Ended) {
    // SAFETY: the id is the one that qemu gave, the callback lives for ever.
    unsafe { qemu_plugin_register_vcpu_tb_trans_cb(id, translated) };
    // SAFETY: as above.
    unsafe { qemu_plugin_register_vcpu_syscall_cb(id, called) };
    // SAFETY: as above; the callback does not use its data.
    unsafe { qemu_plugin_register_atexit_cb(id, ended, null_mut()) };
}
