//! Networks that grow op by op, and random ones out of all ops.

use crate::op::{Dtype, Given, Kind, Mismatch, OPS, Problem, random_floats};
use crate::workload::{
    Decision, Ends, Inputs, NanRank, NanRule, Op, Role, Tensor, Value, ValueId, Workload,
};
use rand::{Rng, RngExt};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Features of a value of a random network at most.
const FEATURES_MAX: usize = 160;

/// Words of a stored tensor of a random network at most.
const WORDS_MAX: usize = 800;

/// Problems of an op that are tried on a network before it gets another op.
const DRAWS_MAX: u32 = 64;

/// Inputs of a random network.
const INPUTS: usize = 9;

/// A network that grows op by op. Its tensors follow all other values, so that they are numbered when it
/// is known how many ops there are.
#[derive(Debug)]
pub struct Network {
    values: Vec<Value>,
    ops: Vec<(Op, Vec<Node>)>,
    tensors: Vec<Tensor>,
}

/// A value of a network that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// The input, or the output of an op.
    Value(usize),
    /// A stored tensor.
    Tensor(usize),
}

impl Network {
    /// The input of an inference.
    pub const INPUT: Node = Node::Value(0);

    /// A network that is nothing but an input of this shape.
    pub fn new(input: &[usize]) -> Self {
        let input = Value::floats("input", input, Role::Input);
        Self { values: vec![input], ops: Vec::new(), tensors: Vec::new() }
    }

    /// The same of an input of indices.
    pub fn of_indices(input: &[usize]) -> Self {
        let mut network = Self::new(input);
        network.values[0].dtype = Dtype::U32;
        network
    }

    /// Adds a stored tensor, whose words `words` gives for its shape.
    pub fn stored(
        &mut self,
        name: &str,
        shape: &[usize],
        words: impl FnOnce(&[usize]) -> Vec<u32>,
    ) -> Node {
        let (words, dtype) = (words(shape), Dtype::F32);
        let shape = shape.to_vec();
        self.tensors.push(Tensor { name: name.into(), shape, dtype, offset: 0, words });
        Node::Tensor(self.tensors.len() - 1)
    }

    /// The shape of a value.
    pub fn shape(&self, node: Node) -> &[usize] {
        match node {
            Node::Value(value) => &self.values[value].shape,
            Node::Tensor(tensor) => &self.tensors[tensor].shape,
        }
    }

    fn dtype(&self, node: Node) -> Dtype {
        match node {
            Node::Value(value) => self.values[value].dtype,
            Node::Tensor(tensor) => self.tensors[tensor].dtype,
        }
    }

    /// Adds an op of the kind with this name and these fields of numbers, and gives its output.
    ///
    /// # Panics
    /// Where there is no such op, or its fields or the shapes of its inputs are wrong.
    #[expect(clippy::expect_used, reason = "who builds a network by hand knows its shapes")]
    pub fn op(
        &mut self,
        name: &str,
        kind: &str,
        fields: &[(&str, Given)],
        inputs: &[Node],
    ) -> Node {
        let kind = Kind::named(kind).expect("a kind");
        let settings = kind.settings(fields).expect("fields");
        self.push(name, kind, settings, inputs).expect("shapes that fit")
    }

    fn push(
        &mut self,
        name: &str,
        kind: Kind,
        settings: Vec<u32>,
        inputs: &[Node],
    ) -> Result<Node, Mismatch> {
        let shapes: Vec<&[usize]> = inputs.iter().map(|input| self.shape(*input)).collect();
        let shape = kind.output(&settings, &shapes)?;
        let dtypes: Vec<Dtype> = inputs.iter().map(|input| self.dtype(*input)).collect();
        let dtype = kind.dtype(&settings, &dtypes)?;
        let value = Value::floats(name, &shape, Role::Activation);
        self.values.push(Value { dtype, ..value });
        let output = ValueId(self.values.len() - 1);
        let op = Op { name: name.into(), kind, settings, inputs: Vec::new(), output };
        self.ops.push((op, inputs.to_vec()));
        Ok(Node::Value(output.0))
    }

    /// Leaves out ops and tensors that the last op does not come to read, as the reader of workloads
    /// refuses them.
    fn prune(&mut self) {
        let mut values = vec![false; self.values.len()];
        let mut tensors = vec![false; self.tensors.len()];
        (values[0], values[self.values.len() - 1]) = (true, true);
        for (op, inputs) in self.ops.iter().rev() {
            if !values[op.output.0] {
                continue;
            }
            for input in inputs {
                match *input {
                    Node::Value(value) => values[value] = true,
                    Node::Tensor(tensor) => tensors[tensor] = true,
                }
            }
        }
        let rank = |kept: &[bool], at: usize| kept[..at].iter().filter(|kept| **kept).count();
        self.ops.retain(|(op, _)| values[op.output.0]);
        for (op, inputs) in &mut self.ops {
            op.output = ValueId(rank(&values, op.output.0));
            for input in inputs {
                *input = match *input {
                    Node::Value(value) => Node::Value(rank(&values, value)),
                    Node::Tensor(tensor) => Node::Tensor(rank(&tensors, tensor)),
                };
            }
        }
        let mut kept = values.iter();
        self.values.retain(|_| kept.next() == Some(&true));
        let mut kept = tensors.iter();
        self.tensors.retain(|_| kept.next() == Some(&true));
    }

    /// The workload of this network over these inputs; its output is that of the last op.
    pub fn workload(mut self, inputs: Inputs, decision: Decision, relu_nan: NanRule) -> Workload {
        let mut offset = 0;
        for tensor in &mut self.tensors {
            tensor.offset = offset;
            offset += narrow(tensor.words.len());
        }
        let first = self.values.len();
        let at = |input: Node| match input {
            Node::Value(value) => ValueId(value),
            Node::Tensor(tensor) => ValueId(first + tensor),
        };
        let ops = self.ops.into_iter();
        let ops = ops
            .map(|(op, inputs)| Op { inputs: inputs.into_iter().map(at).collect(), ..op })
            .collect();
        let stored = self.tensors.iter().enumerate();
        let value = |(at, t): (usize, &Tensor)| {
            let value = Value::floats(&t.name, &t.shape, Role::Stored(at));
            Value { dtype: t.dtype, ..value }
        };
        self.values.extend(stored.map(value));
        Workload {
            name: "random".into(),
            description: "built in code".into(),
            source: "beamline".into(),
            tensors: self.tensors,
            inputs,
            output: ValueId(first - 1),
            values: self.values,
            ops,
            decision,
            relu_nan,
            expected: None,
            delivered: None,
        }
    }
}

/// A count of a small network.
pub(super) fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// One of these.
pub(super) fn one_of<T: Copy>(draws: &mut impl Rng, of: &[T]) -> T {
    of[draws.random_range(0..of.len())]
}

/// A small workload out of all ops, with branches; shapes, words and rules are those of the draws. Half of
/// the workloads have inputs that are NaN, infinite, zero or very large now and then, and one of sixteen
/// such a weight.
pub(super) fn random(draws: &mut Xoshiro256PlusPlus) -> Workload {
    loop {
        let network = grown(draws);
        let computes = network.ops.iter().any(|(op, _)| !op.kind.is_view());
        let reads = network.ops.iter().any(|(_, inputs)| inputs.contains(&Node::Value(0)));
        if computes && reads && !network.tensors.is_empty() {
            return furnished(network, draws);
        }
    }
}

fn grown(draws: &mut Xoshiro256PlusPlus) -> Network {
    let mut side = || draws.random_range(3..8usize);
    let (height, width) = (side(), side());
    let channels = draws.random_range(1..4usize);
    let image = draws.random_bool(0.75);
    let indices = draws.random_bool(0.125);
    let mut network = if image {
        Network::new(&[channels, height, width])
    } else {
        Network::new(&[height * width])
    };
    if indices {
        network = Network::of_indices(&[height]);
    }
    let ops = draws.random_range(2..10);
    for _ in 0..4 * ops {
        if network.ops.len() == ops {
            break;
        }
        let kind = likely(&network, draws);
        // A kind that fits seldom has as many chances as one that always does.
        for _ in 0..DRAWS_MAX {
            if network.grow(kind, draws) {
                break;
            }
        }
    }
    network.prune();
    network
}

/// A kind of op for a network: any, but often one that makes quantised numbers or reads such as there are,
/// which few kinds do.
fn likely(network: &Network, draws: &mut Xoshiro256PlusPlus) -> Kind {
    let last = network.values.last().map_or(Dtype::F32, |value| value.dtype);
    let wanted = match last {
        Dtype::U32 => return one_of(draws, OPS),
        Dtype::F32 if draws.random_bool(0.9) => return one_of(draws, OPS),
        _ if draws.random_bool(0.4) => return one_of(draws, OPS),
        dtype => dtype,
    };
    let fits = |kind: &Kind, problem: &Problem| match (wanted, problem.dtypes.first()) {
        (Dtype::F32, Some(Dtype::F32)) => {
            kind.dtype(&problem.settings, &problem.dtypes).is_ok_and(|made| made.bits() == 8)
        }
        (wanted, first) => Some(&wanted) == first,
    };
    let mut drawn = (0..8 * OPS.len()).map(|_| one_of(draws, OPS)).collect::<Vec<Kind>>();
    drawn.retain(|kind| fits(kind, &kind.problem(draws)));
    drawn.first().copied().unwrap_or(OPS[0])
}

impl Network {
    /// Adds an op of this kind with the settings of a random problem, where it fits values that there are,
    /// and says whether it does; it reads the last value more often than the others.
    fn grow(&mut self, kind: Kind, draws: &mut Xoshiro256PlusPlus) -> bool {
        let problem = kind.problem(draws);
        let last = self.values.len() - 1;
        let first = if draws.random_bool(0.75) { last } else { draws.random_range(0..=last) };
        let shape = self.values[first].shape.clone();
        let alike: Vec<usize> =
            (0..=last).filter(|value| self.values[*value].shape == shape).collect();
        let of_rows = problem.shapes.len() - problem.stored;
        let mut inputs = vec![Node::Value(first); of_rows];
        for input in inputs.iter_mut().skip(1) {
            *input = Node::Value(one_of(draws, &alike));
        }
        let tensors = problem.shapes[of_rows..].iter();
        let tensors: Vec<Vec<usize>> =
            tensors.map(|tensor| fitted(tensor, &problem.shapes[0], &shape)).collect();
        let words = |shape: &[usize]| shape.iter().product::<usize>();
        let values = inputs.iter().map(|input| self.shape(*input));
        let shapes: Vec<&[usize]> = values.chain(tensors.iter().map(Vec::as_slice)).collect();
        let Ok(output) = kind.output(&problem.settings, &shapes) else {
            return false;
        };
        if words(&output) > FEATURES_MAX || tensors.iter().any(|t| words(t) > WORDS_MAX) {
            return false;
        }
        let name = format!("op{}", self.ops.len());
        let narrow_to = one_of(draws, &[Dtype::F32, Dtype::F16, Dtype::Bf16]);
        let mut dtypes: Vec<Dtype> = inputs.iter().map(|input| self.dtype(*input)).collect();
        match problem.dtypes.get(of_rows..) {
            Some(own) => dtypes.extend(own),
            None => dtypes.resize(dtypes.len() + tensors.len(), narrow_to),
        }
        if !problem.dtypes.is_empty() {
            if kind.dtype(&problem.settings, &dtypes).is_err() {
                return false;
            }
            for (at, shape) in tensors.iter().enumerate() {
                let (dtype, name) = (dtypes[of_rows + at], format!("{name}.{at}"));
                inputs.push(
                    self.stored(&name, shape, |shape| {
                        random_numbers(draws, &problem, (dtype, shape))
                    }),
                );
                if let Some(tensor) = self.tensors.last_mut() {
                    tensor.dtype = dtype;
                }
            }
            return self.push(&name, kind, problem.settings, &inputs).is_ok();
        }
        let narrows = !kind.takes_stored() && kind.dtype(&problem.settings, &dtypes).is_ok();
        let first_own = self.tensors.len();
        for (at, shape) in tensors.iter().enumerate() {
            // Now and then a tensor that another op reads too.
            let known = self.tensors.iter().position(|tensor| tensor.shape == *shape);
            let shared = known.filter(|_| draws.random_bool(0.1)).map(Node::Tensor);
            let name = format!("{name}.{at}");
            inputs.push(shared.unwrap_or_else(|| {
                self.stored(&name, shape, |shape| random_weights(draws, shape))
            }));
        }
        if kind.takes_stored()
            && inputs.first().is_some_and(|first| self.dtype(*first) == Dtype::U32)
        {
            self.make_whole(&inputs, draws);
        }
        let own = |input: &Node| matches!(input, Node::Tensor(tensor) if *tensor >= first_own);
        if narrows && inputs[of_rows..].iter().all(own) {
            self.tensors[first_own..].iter_mut().for_each(|tensor| narrowed(tensor, narrow_to));
        }
        self.push(&name, kind, problem.settings, &inputs).is_ok()
    }

    /// Makes the last tensors, where an op reads them alone, ones of whole numbers.
    fn make_whole(&mut self, inputs: &[Node], draws: &mut impl Rng) {
        let read: Vec<Node> = self.ops.iter().flat_map(|(_, inputs)| inputs.clone()).collect();
        for input in inputs.iter().filter(|input| !read.contains(input)) {
            if let Node::Tensor(tensor) = input {
                let tensor = &mut self.tensors[*tensor];
                tensor.dtype = Dtype::U32;
                tensor.words.iter_mut().for_each(|word| *word = draws.random_range(0..4));
            }
        }
    }
}

impl Network {
    /// Which indices every op that reads indices may read.
    fn indices_below(&self) -> u32 {
        let below = self.ops.iter().filter_map(|(op, inputs)| {
            let shapes: Vec<&[usize]> = inputs.iter().map(|input| self.shape(*input)).collect();
            op.kind.indices_below(&shapes)
        });
        below.min().unwrap_or(1)
    }
}

/// Makes a tensor of F32 one of another type, rounding towards 0.
fn narrowed(tensor: &mut Tensor, dtype: Dtype) {
    let half = |word: &u32| match dtype {
        Dtype::F16 => match (word & 0x7fff_ffff) >> 13 {
            size @ 0x1_c400..0x2_3c00 => word >> 16 & 0x8000 | (size - 0x1_c000),
            _ => word >> 16 & 0x8000,
        },
        _ => word >> 16,
    };
    if dtype != Dtype::F32 {
        let halves: Vec<u32> = tensor.words.iter().map(half).collect();
        let pair = |pair: &[u32]| pair[0] | pair.get(1).copied().unwrap_or(0) << 16;
        tensor.words = halves.chunks(2).map(pair).collect();
        tensor.dtype = dtype;
    }
}

/// A stored tensor of a problem for another input: dimensions that are those of the problem's input become
/// those of this one.
fn fitted(tensor: &[usize], of: &[usize], input: &[usize]) -> Vec<usize> {
    let dimension = |dimension: &usize| match of.iter().position(|known| known == dimension) {
        Some(at) => input.get(at).copied().unwrap_or(*dimension),
        None => *dimension,
    };
    tensor.iter().map(dimension).collect()
}

/// Weights of both signs; those of one dimension, which scale, shift and normalise, are positive, since a
/// variance is.
fn random_weights(draws: &mut impl Rng, shape: &[usize]) -> Vec<u32> {
    let least = if shape.len() == 1 { 0.125f32 } else { -1.0 };
    let words = shape.iter().product::<usize>();
    (0..words).map(|_| draws.random_range(least..1.0).to_bits()).collect()
}

/// The words of a stored tensor of this type.
fn random_numbers(
    draws: &mut Xoshiro256PlusPlus,
    problem: &Problem,
    (dtype, shape): (Dtype, &[usize]),
) -> Vec<u32> {
    if dtype.is_float() {
        return random_weights(draws, shape);
    }
    let elements = narrow(shape.iter().product());
    problem.words_of(draws, (dtype, true), dtype.words(elements), false)
}

/// The workload of a network, with inputs and rules.
fn furnished(mut network: Network, draws: &mut Xoshiro256PlusPlus) -> Workload {
    let tensor = draws.random_range(0..network.tensors.len());
    if draws.random_bool(1.0 / 16.0) && network.tensors[tensor].dtype == Dtype::F32 {
        let words = &mut network.tensors[tensor].words;
        let at = draws.random_range(0..words.len());
        words[at] = one_of(draws, &[0x7fc0_0000, 0x7f80_0000, 0xff80_0000, 0, 0x7f7f_ffff]);
    }
    let features = network.values[0].shape.iter().product::<usize>();
    let words = if network.values[0].dtype == Dtype::U32 {
        let below = network.indices_below();
        (0..INPUTS * features).map(|_| draws.random_range(0..below)).collect()
    } else if draws.random_bool(0.5) {
        random_floats(draws, narrow(INPUTS * features), false)
    } else {
        (0..INPUTS * features).map(|_| draws.random_range(-1.0f32..1.0).to_bits()).collect()
    };
    let output = network.values[network.values.len() - 1].features();
    let nan = one_of(draws, &[NanRank::Differs, NanRank::Highest, NanRank::Lowest]);
    let best = draws.random_range(1..=output.min(8));
    let decision = match draws.random_range(0..9) {
        0 | 1 => Decision::Tolerance { relative: 0.01 },
        2 => Decision::Mask { threshold: 0.1, overlap: draws.random_range(0.3..1.0) },
        3 => Decision::TopK { best, nan },
        4 => Decision::Rank { best, nan },
        5 => {
            let positions = if output.is_multiple_of(2) { 2 } else { 1 };
            Decision::Tokens {
                positions,
                prompt: None,
                ends: Ends::new(&[0]).filter(|_| draws.random_bool(0.5)).unwrap_or(Ends::NONE),
                nan,
            }
        }
        _ => Decision::ArgMax { nan },
    };
    let labels = (0..INPUTS).map(|_| draws.random_range(0..output)).collect();
    let labels = decision.is_of_classes().then_some(labels);
    let relu_nan = one_of(draws, &[NanRule::Propagate, NanRule::Zero]);
    let inputs = Inputs { count: INPUTS, features, words, labels };
    network.workload(inputs, decision, relu_nan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Domain, stream};
    use std::collections::BTreeSet;

    #[test]
    fn random_networks_have_all_ops_and_branches() {
        let draws = |seed| stream(seed, Domain::Generate, &[]);
        let networks: Vec<Workload> = (0..400).map(|seed| random(&mut draws(seed))).collect();
        let ops = networks.iter().flat_map(|network| &network.ops);
        let kinds: BTreeSet<&str> = ops.map(|op| op.kind.name()).collect();
        assert_eq!(kinds.len(), OPS.len(), "{kinds:?}");
        let readers = |network: &Workload, value: usize| {
            network.ops.iter().filter(|op| op.inputs.contains(&ValueId(value))).count()
        };
        let mut branched = 0;
        for network in &networks {
            for value in 0..network.values.len() {
                let delivered = network.output == ValueId(value);
                assert!(delivered || readers(network, value) > 0, "{:?}", network.values[value]);
            }
            let values = 0..network.values.len() - network.tensors.len();
            branched += usize::from(values.into_iter().any(|value| readers(network, value) > 1));
        }
        assert!(branched > 40, "{branched} networks of 400 with a value that several ops read");
    }
}
