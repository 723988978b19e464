//! From layers to steps.

use std::collections::HashMap;
use std::sync::Arc;

use fp32_ref::{BlobId, Graph};
use int8_kernels::quantize;
use ncnn_format::{Activation, Effect, Error, Result};

use super::demand::{Demand, works_on_integers};
use super::facts::Facts;
use super::fusion::{Chain, Fusion};
use super::movement::{self, Movement};
use super::step::{Moving, Op, Sinks, Step};
use super::storage::{Storages, View};
use crate::grid::Grid;
use crate::layers::{Input, Prepared};

/// The state of lowering one network.
pub(super) struct Lowering<'a> {
    pub(super) graph: &'a Graph,
    pub(super) layers: &'a [Arc<Prepared>],
    pub(super) facts: &'a Facts,
    pub(super) fusion: &'a Fusion,
    pub(super) demands: &'a [Demand],
    pub(super) steps: Vec<Step>,
    pub(super) storages: Storages,
    /// The int8 forms that exist, by root and bits of the scale.
    pub(super) forms: HashMap<(usize, u32), View>,
}

impl Lowering<'_> {
    /// Turns every layer into steps.
    ///
    /// # Errors
    /// `Unsupported` for what only the layer-by-layer path does; those of layers that are asked.
    pub(super) fn lower(&mut self) -> Result<()> {
        for (index, layer) in self.layers.iter().enumerate() {
            if self.fusion.is_absorbed[index] || layer.effect().is_alias() {
                continue;
            }
            let outputs = &self.graph.nodes()[index].outputs;
            if self.facts.is_constant(outputs) {
                outputs.iter().try_for_each(|&blob| self.quantize(index, blob))?;
                continue;
            }
            match (&**layer, &self.fusion.chains[index]) {
                (_, Some(chain)) => self.convolve(index, layer, chain)?,
                (Prepared::Fed, None) => {
                    self.graph.nodes()[index].outputs.iter().try_for_each(|&blob| self.quantize(index, blob))?;
                }
                (Prepared::Float { layer: float, effect }, None) => self.float(index, layer, &**float, effect)?,
                _ => return Err(Error::unsupported("an int8 layer without a plan")),
            }
        }
        Ok(())
    }

    /// The int8 form of a root.
    fn form(&self, root: BlobId, scale: f32) -> Result<View> {
        let form = self.forms.get(&(root.0, scale.to_bits())).copied();
        form.ok_or_else(|| Error::unsupported(format!("{} has no int8 form", self.graph.blob_name(root))))
    }

    fn root(&self, blob: BlobId) -> BlobId {
        self.facts.roots[blob.0]
    }

    fn push(&mut self, layer: usize, op: Op) {
        self.steps.push(Step { layers: vec![layer], op });
    }

    /// A new buffer for the form of `root` that has `scale`.
    fn new_form(&mut self, root: BlobId, scale: f32) -> Result<View> {
        let view = self.storages.add(Grid::of(self.facts.shape(root)?));
        self.forms.insert((root.0, scale.to_bits()), view);
        Ok(view)
    }

    /// Buffers for every form of `root` that is needed.
    fn sinks(&mut self, root: BlobId) -> Result<Sinks> {
        let Demand { floats, scales } = self.demands[root.0].clone();
        let integers =
            scales.into_iter().map(|scale| Ok((scale, self.new_form(root, scale)?))).collect::<Result<_>>()?;
        Ok(Sinks { floats: floats.then_some(root), integers })
    }

    /// Makes every int8 form of a blob whose floats exist.
    fn quantize(&mut self, layer: usize, blob: BlobId) -> Result<()> {
        if self.demands[blob.0].scales.is_empty() {
            return Ok(());
        }
        let to = self.sinks(blob)?.integers;
        self.push(layer, Op::Quantize { from: blob, to });
        Ok(())
    }

    fn convolve(&mut self, index: usize, layer: &Prepared, chain: &Chain) -> Result<()> {
        let input = self.root(self.graph.nodes()[index].inputs[0]);
        let scale = self.facts.int8[input.0].unwrap_or(layer.input_scale());
        let form = self.form(input, scale)?;
        let shape = self.facts.shape(input)?;
        let from = match layer.input(shape) {
            Input::Image => form,
            Input::Rows(grid) => self.storages.reinterpret(form, grid).unwrap_or(form),
            Input::Flat => self.flattened(index, form, shape)?,
        };
        let sinks = self.sinks(chain.output)?;
        let output = Grid::of(self.facts.shape(chain.output)?);
        let op = Op::Convolve {
            layer: index,
            from,
            padding: layer.padding(shape)?,
            output,
            addend: chain.addend,
            then: chain.then,
            sinks,
        };
        self.steps.push(Step { layers: [&[index], &chain.absorbed[..]].concat(), op });
        Ok(())
    }

    /// `view` as one pixel in ncnn's order.
    fn flattened(&mut self, index: usize, view: View, shape: fp32_ref::Shape) -> Result<View> {
        let flat = Grid::flat(shape);
        if Grid::of(shape).is_planar(shape.rank())
            && let Some(view) = self.storages.reinterpret(view, flat)
        {
            return Ok(view);
        }
        let to = self.storages.add(flat);
        self.push(index, Op::Move { moving: Moving::Table(Movement::flatten(shape)), from: view, to });
        Ok(to)
    }

    fn float(&mut self, index: usize, layer: &Prepared, float: &dyn fp32_ref::Layer, effect: &Effect) -> Result<()> {
        let outputs = &self.graph.nodes()[index].outputs;
        let by_integers: Vec<bool> = outputs
            .iter()
            .map(|blob| works_on_integers(self.graph, layer, self.facts, index, &self.demands[blob.0]))
            .collect();
        let needs_floats = |(blob, &integers): (&BlobId, &bool)| {
            let demand = &self.demands[blob.0];
            demand.floats || (!integers && !demand.scales.is_empty())
        };
        if outputs.is_empty() || outputs.iter().zip(&by_integers).any(needs_floats) {
            let inputs = &self.graph.nodes()[index].inputs;
            if inputs.iter().any(|blob| self.facts.int8[self.root(*blob).0].is_some()) {
                return Err(Error::unsupported("a float layer on integers of the file"));
            }
            let op = self.relabelled(index, float, effect)?.unwrap_or(Op::Float { layer: index });
            self.push(index, op);
        }
        for (position, (&blob, integers)) in outputs.iter().zip(by_integers).enumerate() {
            if !integers {
                self.quantize(index, blob)?;
                continue;
            }
            for scale in self.demands[blob.0].scales.clone() {
                self.on_integers(index, float, effect, (position, blob), scale)?;
            }
        }
        Ok(())
    }

    /// A layer that turns an image pixel by pixel into ncnn's order only changes its shape.
    fn relabelled(&self, index: usize, float: &dyn fp32_ref::Layer, effect: &Effect) -> Result<Option<Op>> {
        let node = &self.graph.nodes()[index];
        let (Effect::Move, &[input], &[to]) = (effect, &node.inputs[..], &node.outputs[..]) else { return Ok(None) };
        let from = self.root(input);
        let (Some(shape), Some(output)) = (self.facts.shapes[from.0], self.facts.shapes[to.0]) else { return Ok(None) };
        let can_be = shape.rank() == 3 && movement::is_affordable(&[shape], &[output]);
        Ok((can_be && movement::reads_pixels_in_order(float, shape)?).then_some(Op::Relabel { from, to }))
    }

    /// Makes one int8 form of an output from the inputs' forms of the same scale.
    fn on_integers(
        &mut self,
        index: usize,
        float: &dyn fp32_ref::Layer,
        effect: &Effect,
        (position, output): (usize, BlobId),
        scale: f32,
    ) -> Result<()> {
        let roots: Vec<BlobId> = self.graph.nodes()[index].inputs.iter().map(|&blob| self.root(blob)).collect();
        let forms = roots.iter().map(|&root| self.form(root, scale)).collect::<Result<Vec<_>>>()?;
        let [from, ..] = forms[..] else { return Err(Error::unsupported("a layer without inputs")) };
        match effect {
            Effect::Move => {
                let mut movements = Movement::of(float, self.facts.shape(roots[0])?)?;
                self.move_values(index, movements.swap_remove(position), from, output, scale)
            }
            Effect::Concat { .. } => self.join(index, &forms, output, scale),
            Effect::Activation(activation) => {
                let (low, high) = match *activation {
                    Activation::Clip { min, max } => (quantize(min, scale), quantize(max, scale)),
                    _ => (0, i8::MAX),
                };
                let to = self.new_form(output, scale)?;
                self.push(index, Op::Limit { low, high, from, to });
                Ok(())
            }
            Effect::MaxPool(_) => {
                let to = self.new_form(output, scale)?;
                let window = self.facts.windows[index].ok_or_else(|| Error::unsupported("irregular windows"))?;
                self.push(index, Op::TakeLargest { window, from, to });
                Ok(())
            }
            _ => Err(Error::unsupported("a layer that computes on floats")),
        }
    }

    fn move_values(&mut self, index: usize, movement: Movement, from: View, output: BlobId, scale: f32) -> Result<()> {
        let grid = Grid::of(self.facts.shape(output)?);
        let alias = match movement.channel_slice() {
            Some(first) => Some(View { grid, offset: from.offset + first, ..from }),
            None if movement.keeps_order() => self.storages.reinterpret(from, grid),
            None => None,
        };
        match alias {
            Some(view) => {
                self.forms.insert((output.0, scale.to_bits()), view);
            }
            None => {
                let to = self.new_form(output, scale)?;
                self.push(index, Op::Move { moving: Moving::Table(movement), from, to });
            }
        }
        Ok(())
    }

    /// Puts `parts` side by side: those that can are written there in the first place.
    fn join(&mut self, index: usize, parts: &[View], output: BlobId, scale: f32) -> Result<()> {
        let joined = self.new_form(output, scale)?;
        let mut channel = 0;
        for (position, &part) in parts.iter().enumerate() {
            let home = self.storages.resolve(part).buffer;
            let is_shared = parts
                .iter()
                .enumerate()
                .any(|(other, &view)| other != position && self.storages.resolve(view).buffer == home);
            let is_in_place = !is_shared && self.storages.embed(part, joined, channel) && {
                let is_clear = self.steps.iter().all(|step| !step.op.overwrites_what_it_reads(&self.storages));
                if !is_clear {
                    self.storages.release(part);
                }
                is_clear
            };
            if !is_in_place {
                let to = View { grid: part.grid, offset: channel, ..joined };
                self.push(index, Op::Move { moving: Moving::Pixels, from: part, to });
            }
            channel += part.grid.channels;
        }
        Ok(())
    }
}
