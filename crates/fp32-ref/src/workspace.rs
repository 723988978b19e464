//! Buffers that serve one layer after another.

use crate::Tensor;

/// The memory of one run, kept for the next.
///
/// A layer takes the buffer of its output here and gives back those of inputs that
/// nobody else reads, so that from the second run on the large buffers of a
/// network are not allocated again. Give every thread its own.
///
/// It holds at most as much as the largest run needed at one time.
#[derive(Debug, Default)]
pub struct Workspace {
    free: Vec<Vec<f32>>,
    /// How many buffers are out.
    lent: usize,
}

impl Workspace {
    /// The number of bytes waiting for use.
    pub fn idle_bytes(&self) -> usize {
        self.free.iter().map(|buffer| buffer.capacity() * size_of::<f32>()).sum()
    }

    /// A buffer of `len` elements with arbitrary values.
    pub fn take(&mut self, len: usize) -> Vec<f32> {
        let fits = |buffer: &Vec<f32>| buffer.capacity() >= len;
        let best = (0..self.free.len())
            .filter(|&i| fits(&self.free[i]))
            .min_by_key(|&i| self.free[i].capacity())
            // Too small for this one: it would only lie about.
            .or_else(|| (0..self.free.len()).max_by_key(|&i| self.free[i].capacity()));
        let mut buffer = match best {
            Some(index) => self.free.swap_remove(index),
            None => Vec::new(),
        };
        if buffer.capacity() < len {
            buffer = Vec::with_capacity(len);
        }
        buffer.resize(len, 0.0);
        self.lent += 1;
        buffer
    }

    /// Takes a buffer back, or one from elsewhere in place of one that was lent and lost.
    pub(crate) fn give(&mut self, buffer: Vec<f32>) {
        // More than were lent would pile up from run to run.
        if self.lent > 0 {
            self.lent -= 1;
            self.free.push(buffer);
        }
    }

    /// Takes the buffer of `tensor` back unless somebody else holds it.
    pub(crate) fn give_tensor(&mut self, tensor: Tensor) {
        if let Some(buffer) = tensor.into_buffer() {
            self.give(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_given_back_serves_again() {
        let mut workspace = Workspace::default();
        let buffer = workspace.take(100);
        let address = buffer.as_ptr();
        workspace.give(buffer);
        assert_eq!(workspace.idle_bytes(), 400);
        let buffer = workspace.take(50);
        assert_eq!((buffer.as_ptr(), workspace.idle_bytes()), (address, 0));
    }

    #[test]
    fn the_smallest_that_fits_is_taken() {
        let mut workspace = Workspace::default();
        let buffers = [workspace.take(1000), workspace.take(10)];
        buffers.into_iter().for_each(|buffer| workspace.give(buffer));
        assert_eq!(workspace.take(10).capacity(), 10);
        assert_eq!(workspace.take(10).capacity(), 1000);
    }

    #[test]
    fn a_shared_tensor_keeps_its_buffer() {
        let mut workspace = Workspace::default();
        let mut values = workspace.take(2);
        values.shrink_to_fit();
        let tensor = Tensor::new([2], values).unwrap();
        workspace.give_tensor(tensor.clone());
        assert_eq!(workspace.idle_bytes(), 0);
        workspace.give_tensor(tensor);
        assert_eq!(workspace.idle_bytes(), 8);
    }

    #[test]
    fn buffers_from_elsewhere_do_not_pile_up() {
        let mut workspace = Workspace::default();
        workspace.give(vec![0.0; 100]);
        assert_eq!(workspace.idle_bytes(), 0);
    }
}
