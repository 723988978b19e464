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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;

    #[test]
    fn lanes_without_a_channel_change_nothing() {
        let mut lanes = Lanes::new(6);
        lanes.place(0, 0..2);
        lanes.place(4, 2..3);
        lanes.start_at_sums(-128, &[1, 2, -3, 4, 5, -128], 2);
        assert_eq!(lanes.initial, [-384, -128, 0, 0, 15_744, 0]);
        lanes.set_epilogue(&Epilogue::new(vec![0.5, 1.5, 2.5], Some(vec![1.0, 2.0, 3.0]), Activation::None).unwrap());
        assert_eq!(lanes.scales, [0.5, 1.5, 0.0, 0.0, 2.5, 0.0]);
        assert_eq!(lanes.bias, [1.0, 2.0, 0.0, 0.0, 3.0, 0.0]);
    }

    /// Adding 0.0 would turn −0.0 into 0.0.
    #[test]
    fn no_bias_is_the_float_that_changes_none() {
        let mut lanes = Lanes::new(2);
        lanes.place(0, 0..1);
        lanes.set_epilogue(&Epilogue::new(vec![1.0], Some(vec![7.0]), Activation::None).unwrap());
        lanes.set_epilogue(&Epilogue::new(vec![1.0], None, Activation::None).unwrap());
        assert!(lanes.bias.iter().all(|bias| bias.to_bits() == (-0.0f32).to_bits()));
    }
}
