//! What belongs to each lane of each panel of a packed layer.

use std::ops::Range;

use crate::epilogue::Epilogue;

/// One entry per lane: more lanes than output channels, because panels are whole vectors.
#[derive(Debug, Clone)]
pub(crate) struct Lanes {
    /// Output channel of a lane.
    channels: Vec<Option<usize>>,
    /// What its sum begins with.
    pub(crate) initial: Vec<i32>,
    pub(crate) scales: Vec<f32>,
    pub(crate) bias: Vec<f32>,
}

impl Lanes {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            channels: vec![None; count],
            initial: vec![0; count],
            scales: vec![0.0; count],
            // The float that changes none when added, not even −0.0.
            bias: vec![-0.0; count],
        }
    }

    /// Gives the lanes from `first` on to consecutive output channels.
    pub(crate) fn place(&mut self, first: usize, channels: Range<usize>) {
        self.channels[first..first + channels.len()].iter_mut().zip(channels).for_each(|(lane, c)| *lane = Some(c));
    }

    /// Sums begin at `factor` · Σw: −`ZERO` for kernels that multiply stored bytes, each of which is that much
    /// more than its value. `depth` is the number of weights of a channel.
    pub(crate) fn start_at_sums(&mut self, factor: i32, weights: &[i8], depth: usize) {
        for (initial, channel) in self.initial.iter_mut().zip(&self.channels) {
            if let Some(channel) = channel {
                let sum: i32 = weights[channel * depth..][..depth].iter().map(|&weight| i32::from(weight)).sum();
                *initial = sum.wrapping_mul(factor);
            }
        }
    }

    /// Copies scales and bias to their lanes.
    pub(crate) fn set_epilogue(&mut self, epilogue: &Epilogue) {
        for (lane, channel) in self.channels.iter().enumerate() {
            if let Some(channel) = *channel {
                self.scales[lane] = epilogue.scales()[channel];
                self.bias[lane] = epilogue.bias().map_or(-0.0, |bias| bias[channel]);
            }
        }
    }
}
