//! Cycles of kernels as llvm-mca models them: an aid for ranking, not a measurement.
//!
//! Instructions that follow each other and ran equally often are a block. A block's cost is what llvm-mca says one
//! more iteration of it takes; the cost of a function is the sum over its blocks and their executions. Caches
//! do not exist in the model.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use ncnn_format::{Error, Result};

use super::count::Counts;
use super::symbol::path;
use crate::cross::process::output;

/// The version whose models the baseline was made with; others model the same CPU differently.
pub(crate) const LLVM: &str = "14";

/// Blocks with fewer instructions than this share of all cost one cycle an instruction.
const LEAST_SHARE: f64 = 0.002;

/// llvm-mca of version [`LLVM`], if it is installed.
pub(crate) fn model() -> Option<&'static str> {
    ["llvm-mca-14", "llvm-mca"].into_iter().find(|program| {
        let version = output(Command::new(program).arg("--version"), "no llvm-mca");
        version.is_ok_and(|text| text.contains(&format!("LLVM version {LLVM}.")))
    })
}

/// An instruction of a kernel.
struct Instruction {
    address: u64,
    function: String,
    text: String,
}

/// Instructions that ran equally often, one after the other.
struct Block {
    function: String,
    executions: u64,
    end: u64,
    lines: Vec<String>,
}

/// Cycles of one inference by function on the model of `cpu`, an aarch64 CPU; `gnu` is the prefix of the cross tools.
///
/// # Errors
/// `Io` when the tools fail, for instance at an instruction that they do not know.
pub(crate) fn cycles(
    mca: &str,
    gnu: &str,
    program: &Path,
    counts: &Counts,
    cpu: &str,
) -> Result<BTreeMap<String, u64>> {
    let bias = counts.start_of_code - start_of_code(gnu, program)?;
    let executed = |address: u64| counts.addresses.get(&(address + bias)).copied().unwrap_or(0);
    let (Some(first), Some(last)) = (counts.addresses.keys().next(), counts.addresses.keys().last()) else {
        return Ok(BTreeMap::new());
    };
    let instructions = disassemble(gnu, program, first - bias, last - bias + 4)?;
    let blocks = blocks(instructions.into_iter().filter(|instruction| executed(instruction.address) > 0), executed);
    let total: u64 = blocks.iter().map(Block::instructions).sum();
    let hot: Vec<&Block> =
        blocks.iter().filter(|block| block.instructions() as f64 >= LEAST_SHARE * total as f64).collect();
    let source = source(&hot);
    let [short, long] = [100, 200].map(|iterations| simulate(mca, cpu, &source, iterations));
    let (short, long) = (short?, long?);
    let mut functions: BTreeMap<String, f64> = BTreeMap::new();
    for block in &blocks {
        let modelled = hot.iter().position(|hot| std::ptr::eq(*hot, block));
        let cost = modelled.and_then(|index| Some((long.get(&index)? - short.get(&index)?) / 100.0));
        let cost = cost.unwrap_or(block.lines.len() as f64).max(0.01);
        *functions.entry(path(&block.function)).or_default() += cost * block.executions as f64;
    }
    Ok(functions.into_iter().map(|(function, cycles)| (function, cycles.round() as u64)).collect())
}

impl Block {
    fn instructions(&self) -> u64 {
        self.executions * self.lines.len() as u64
    }
}

/// Where the program file says that its code starts.
fn start_of_code(gnu: &str, program: &Path) -> Result<u64> {
    let mut readelf = Command::new(format!("{gnu}-readelf"));
    let text = output(readelf.arg("-lW").arg(program), "readelf fails")?;
    let is_code = |words: &Vec<&str>| words.first() == Some(&"LOAD") && words[6..].contains(&"E");
    let mut segments = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let code = segments.find(is_code).and_then(|words| hexadecimal(words[2]));
    code.ok_or_else(|| Error::invalid("the program has no segment with code"))
}

fn disassemble(gnu: &str, program: &Path, start: u64, stop: u64) -> Result<Vec<Instruction>> {
    let mut objdump = Command::new(format!("{gnu}-objdump"));
    objdump.args(["-d", "--no-show-raw-insn"]).arg(format!("--start-address={start:#x}"));
    objdump.arg(format!("--stop-address={stop:#x}")).arg(program);
    let text = output(&mut objdump, "objdump fails")?;
    let mut function = String::new();
    let mut instructions = Vec::new();
    for line in text.lines() {
        if let Some((_, name)) = line.strip_suffix(">:").and_then(|line| line.split_once(" <")) {
            name.clone_into(&mut function);
        } else if let Some((address, text)) = line.trim_start().split_once(":\t") {
            let Some(address) = hexadecimal(address) else { continue };
            let text = text.split(" //").next().unwrap_or_default().split('<').next().unwrap_or_default();
            let text = text.trim().replace('\t', " ");
            instructions.push(Instruction { address, function: function.clone(), text });
        }
    }
    Ok(instructions)
}

fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()
}

fn blocks(instructions: impl Iterator<Item = Instruction>, executed: impl Fn(u64) -> u64) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for Instruction { address, function, text } in instructions {
        let executions = executed(address);
        match blocks.last_mut() {
            Some(block)
                if block.end == address
                    && block.executions == executions
                    && block.function == function
                    && !block.lines.last().is_some_and(|line| is_branch(line)) =>
            {
                block.lines.push(text);
                block.end += 4;
            }
            _ => blocks.push(Block { function, executions, end: address + 4, lines: vec![text] }),
        }
    }
    blocks
}

fn mnemonic(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

fn is_branch(line: &str) -> bool {
    let mnemonic = mnemonic(line);
    ["b", "bl", "blr", "br", "ret", "cbz", "cbnz", "tbz", "tbnz"].contains(&mnemonic) || mnemonic.starts_with("b.")
}

/// The blocks as regions of an assembly file; what refers to an address refers to a label.
fn source(blocks: &[&Block]) -> String {
    let mut source = String::new();
    for (index, block) in blocks.iter().enumerate() {
        source += &format!("# LLVM-MCA-BEGIN r{index}\n.L{index}:\n");
        for line in &block.lines {
            let has_address = (is_branch(line) && !["blr", "br", "ret"].contains(&mnemonic(line)))
                || ["adr", "adrp"].contains(&mnemonic(line));
            match line.rsplit_once([' ', ',']) {
                Some((before, _)) if has_address => {
                    source += &format!("{before}{}.L{index}\n", separator(line, before))
                }
                _ => source += &format!("{line}\n"),
            }
        }
        source += "# LLVM-MCA-END\n";
    }
    source
}

/// What stood between `before` and the last word of `line`.
fn separator<'l>(line: &'l str, before: &str) -> &'l str {
    &line[before.len()..=before.len()]
}

/// Cycles by region.
fn simulate(mca: &str, cpu: &str, source: &str, iterations: u32) -> Result<HashMap<usize, f64>> {
    let failed = |error| Error::io("cannot run llvm-mca", mca, error);
    let mut child = Command::new(mca)
        .args(["-mtriple=aarch64", &format!("-mcpu={cpu}"), "-mattr=+neon,+dotprod,+i8mm,+fullfp16"])
        .args([&format!("-iterations={iterations}"), "-instruction-info=0", "-resource-pressure=0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(source.as_bytes()).map_err(failed)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    let mut cycles = HashMap::new();
    let mut region = None;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some((_, name)) = line.split_once("Code Region - r") {
            region = name.trim().parse().ok();
        } else if let (Some(count), Some(region)) = (line.strip_prefix("Total Cycles:"), region) {
            cycles.insert(region, count.trim().parse().unwrap_or(0.0));
        }
    }
    if !output.status.success() || cycles.is_empty() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(Error::invalid(format!("llvm-mca: {}", message.lines().next().unwrap_or("no message"))));
    }
    Ok(cycles)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instruction(address: u64, text: &str) -> Instruction {
        Instruction { address, function: "f".into(), text: text.into() }
    }

    #[test]
    fn a_block_ends_at_a_branch_a_gap_and_another_count() {
        let texts = [(0, "add x0, x0, #1"), (4, "b.ne 0"), (8, "nop"), (16, "nop"), (20, "nop"), (24, "nop")];
        let instructions = texts.map(|(address, text)| instruction(address, text));
        let blocks = blocks(instructions.into_iter(), |address| if address == 24 { 2 } else { 1 });
        let sizes: Vec<(u64, usize)> = blocks.iter().map(|block| (block.executions, block.lines.len())).collect();
        assert_eq!(sizes, [(1, 2), (1, 1), (1, 2), (2, 1)]);
    }

    #[test]
    fn addresses_become_labels() {
        let lines = ["cbz x0, 1234", "b.ne 12", "ret", "tbz w1, #3, 88", "adrp x0, 5000", "bl 44", "blr x8"];
        let block = Block { function: "f".into(), executions: 1, end: 0, lines: lines.map(str::to_owned).to_vec() };
        let expected = "# LLVM-MCA-BEGIN r0\n.L0:\ncbz x0, .L0\nb.ne .L0\nret\ntbz w1, #3, .L0\nadrp x0, .L0\nbl .L0\n\
                        blr x8\n# LLVM-MCA-END\n";
        assert_eq!(source(&[&block]), expected);
    }

    #[test]
    fn another_function_starts_another_block() {
        let mut instructions: Vec<Instruction> = (0..4).map(|index| instruction(4 * index, "nop")).collect();
        instructions[2].function = "g".to_owned();
        instructions[3].function = "g".to_owned();
        let blocks = blocks(instructions.into_iter(), |_| 5);
        let found: Vec<(&str, u64)> =
            blocks.iter().map(|block| (block.function.as_str(), block.instructions())).collect();
        assert_eq!(found, [("f", 10), ("g", 10)]);
        assert_eq!(blocks[1].end, 16);
    }

    #[test]
    fn branches_are_known_by_their_mnemonic() {
        for line in ["b 40", "bl 40", "b.eq 40", "b.hi 8", "ret", "ret x1", "cbz x0, 4", "tbnz w0, #1, 8", "br x2"] {
            assert!(is_branch(line), "{line}");
        }
        for line in ["bic x0, x1, x2", "bfi w0, w1, #2, #3", "add x0, x0, #1", "brk #1", "", "blend"] {
            assert!(!is_branch(line), "{line}");
        }
    }

    #[test]
    fn addresses_are_hexadecimal_with_or_without_a_prefix() {
        assert_eq!([hexadecimal("0x1f"), hexadecimal(" 1F "), hexadecimal("zz")], [Some(31), Some(31), None]);
    }
}
