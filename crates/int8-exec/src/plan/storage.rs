//! Where integers lie before memory is dealt out.

use crate::grid::Grid;

/// Some channels of the pixels in a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct View {
    /// The storage, later the slot.
    pub(crate) buffer: usize,
    pub(crate) grid: Grid,
    /// Bytes before the first value.
    pub(crate) offset: usize,
    /// Bytes from one pixel to the next.
    pub(crate) stride: usize,
}

/// The int8 buffers of a plan, as if each had memory of its own.
#[derive(Debug, Default)]
pub(super) struct Storages(Vec<Storage>);

#[derive(Debug)]
struct Storage {
    grid: Grid,
    /// The storage that this one is some channels of, and the first of them.
    home: Option<(usize, usize)>,
    /// Whether somebody reads it as other pixels than it has, which only works without gaps.
    pinned: bool,
}

impl Storages {
    /// A buffer of its own for `grid`.
    pub(super) fn add(&mut self, grid: Grid) -> View {
        self.0.push(Storage { grid, home: None, pinned: false });
        View { buffer: self.0.len() - 1, grid, offset: 0, stride: grid.channels }
    }

    /// The storage that holds `view` in the end, and the view as part of it.
    pub(super) fn resolve(&self, mut view: View) -> View {
        while let Some((home, first_channel)) = self.0[view.buffer].home {
            view.buffer = home;
            view.offset += first_channel;
            view.stride = self.0[home].grid.channels;
        }
        view
    }

    /// Bytes of a storage.
    pub(super) fn size(&self, storage: usize) -> usize {
        self.0[storage].grid.pixels() * self.0[storage].grid.channels
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// `view` as the pixels of `grid`, if its bytes lie without gaps; they then stay so.
    pub(super) fn reinterpret(&mut self, view: View, grid: Grid) -> Option<View> {
        if view.grid.pixels() == 1 && grid.pixels() == 1 {
            return Some(View { grid, ..view });
        }
        let is_whole = self.is_whole(view) && self.0[view.buffer].home.is_none();
        is_whole.then(|| {
            self.0[view.buffer].pinned = true;
            View { grid, stride: grid.channels, ..view }
        })
    }

    /// Makes the storage behind `view` the channels of `home` from `first_channel` on, if that is
    /// all there is to it.
    pub(super) fn embed(&mut self, view: View, home: View, first_channel: usize) -> bool {
        let storage = &self.0[view.buffer];
        let fits = self.is_whole(view) && storage.home.is_none() && !storage.pinned;
        if fits {
            self.0[view.buffer].home = Some((home.buffer, first_channel));
        }
        fits
    }

    /// Undoes [`Storages::embed`].
    pub(super) fn release(&mut self, view: View) {
        self.0[view.buffer].home = None;
    }

    fn is_whole(&self, view: View) -> bool {
        view.offset == 0 && view.grid == self.0[view.buffer].grid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Grid = Grid { height: 2, width: 3, channels: 4 };
    const LARGE: Grid = Grid { channels: 10, ..SMALL };

    #[test]
    fn an_embedded_storage_is_channels_of_its_home() {
        let mut storages = Storages::default();
        let (inner, outer) = (storages.add(SMALL), storages.add(LARGE));
        assert!(storages.embed(inner, outer, 6));
        assert_eq!(storages.resolve(inner), View { buffer: outer.buffer, grid: SMALL, offset: 6, stride: 10 });
        assert!(!storages.embed(inner, outer, 0), "it has a home");
        assert!(storages.reinterpret(inner, Grid { height: 1, width: 1, channels: 24 }).is_none(), "it has gaps");
        storages.release(inner);
        assert_eq!(storages.resolve(inner), inner);
    }

    #[test]
    fn what_is_read_as_other_pixels_stays_without_gaps() {
        let mut storages = Storages::default();
        let (inner, outer) = (storages.add(SMALL), storages.add(LARGE));
        let flat = storages.reinterpret(inner, Grid { height: 1, width: 1, channels: 24 }).unwrap();
        assert_eq!((flat.buffer, flat.stride), (inner.buffer, 24));
        assert!(!storages.embed(inner, outer, 0));
    }
}
