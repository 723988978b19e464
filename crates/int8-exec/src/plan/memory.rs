//! Which buffers may lie in the same memory.

/// First and last step that needs a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: usize,
    pub(super) last: usize,
}

/// Memory for buffers, dealt out so that those which live at the same time never share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Memory {
    /// The slot of each buffer; `None` for those that nobody uses.
    pub(super) slots: Vec<Option<usize>>,
    /// The elements of each slot.
    pub(super) sizes: Vec<usize>,
}

/// Extends `span` to `step`.
pub(super) fn extend(span: &mut Option<Span>, step: usize) {
    let known = span.get_or_insert(Span { first: step, last: step });
    known.first = known.first.min(step);
    known.last = known.last.max(step);
}

impl Memory {
    /// Deals out memory to buffers of `sizes` that live for `spans`.
    pub(super) fn new(sizes: &[usize], spans: &[Option<Span>]) -> Self {
        let mut memory = Self { slots: vec![None; sizes.len()], sizes: Vec::new() };
        let mut order: Vec<(Span, usize)> =
            spans.iter().enumerate().filter_map(|(buffer, span)| span.map(|span| (span, buffer))).collect();
        order.sort_by_key(|&(span, buffer)| (span.first, std::cmp::Reverse(sizes[buffer])));
        // The last step that uses what a slot holds.
        let mut busy_until: Vec<usize> = Vec::new();
        for (span, buffer) in order {
            let free = |&slot: &usize| busy_until[slot] < span.first;
            let smallest = (0..busy_until.len())
                .filter(free)
                .filter(|&slot| memory.sizes[slot] >= sizes[buffer])
                .min_by_key(|&slot| memory.sizes[slot]);
            let slot = smallest.or_else(|| (0..busy_until.len()).filter(free).max_by_key(|&slot| memory.sizes[slot]));
            let slot = slot.unwrap_or_else(|| {
                memory.sizes.push(0);
                busy_until.push(0);
                busy_until.len() - 1
            });
            busy_until[slot] = span.last;
            memory.sizes[slot] = memory.sizes[slot].max(sizes[buffer]);
            memory.slots[buffer] = Some(slot);
        }
        memory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(spans: &[(usize, usize)]) -> Vec<Option<Span>> {
        spans.iter().map(|&(first, last)| Some(Span { first, last })).collect()
    }

    #[test]
    fn a_chain_of_layers_needs_two_buffers() {
        let memory = Memory::new(&[10, 30, 20, 5], &spans(&[(0, 1), (1, 2), (2, 3), (3, 4)]));
        assert_eq!(memory.sizes.len(), 2);
        assert_eq!(memory.sizes.iter().sum::<usize>(), 50);
    }

    #[test]
    fn buffers_that_live_together_never_share() {
        let all = spans(&[(0, 5), (1, 3), (2, 2), (3, 6), (4, 5), (6, 7), (0, 0)]);
        let memory = Memory::new(&[4, 9, 3, 7, 2, 8, 1], &all);
        for (a, first) in all.iter().flatten().enumerate() {
            for (b, second) in all.iter().flatten().enumerate().skip(a + 1) {
                let together = first.first <= second.last && second.first <= first.last;
                assert!(!together || memory.slots[a] != memory.slots[b], "{a} and {b}");
            }
        }
    }

    #[test]
    fn what_nobody_uses_has_no_memory() {
        assert_eq!(Memory::new(&[4], &[None]), Memory { slots: vec![None], sizes: vec![] });
    }
}
