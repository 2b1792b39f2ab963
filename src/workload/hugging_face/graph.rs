//! The ops of a decoder. In its last layer queries and all that follows them are computed for the tokens
//! alone that an answer is decided on; keys and values are needed of all.

use super::config::Config;
use super::tensors::Tensors;
use crate::op::{Dtype, Given};
use crate::workload::Error;
use crate::workload::import::{About, INPUT, Text};

/// What the graph is made of.
pub(super) struct Graph<'a> {
    pub(super) config: &'a Config,
    pub(super) tensors: &'a Tensors,
    /// Tokens of an input: the prompt's, and of the answer all but the last.
    pub(super) tokens: usize,
    /// Tokens of the prompt, where there is an answer.
    pub(super) prompt: Option<usize>,
}

/// A graph as it is written, and the tensors that it reads.
struct Writer<'a> {
    graph: &'a Graph<'a>,
    text: Text,
    names: Vec<String>,
}

/// A list of sizes as a field holds it.
#[expect(clippy::cast_possible_truncation, reason = "sizes of the configuration are bounded")]
fn sizes(sizes: &[usize]) -> Given {
    Given::List(sizes.iter().map(|size| *size as u32).collect())
}

#[expect(clippy::cast_possible_truncation, reason = "tokens are bounded")]
fn number(size: usize) -> Given {
    Given::Number(size as u32)
}

impl Writer<'_> {
    /// A stored tensor of this shape.
    fn tensor(&mut self, name: &str, shape: &[usize]) -> Result<String, Error> {
        let name = self.graph.tensors.expect(name, shape)?;
        self.names.push(name.clone());
        Ok(name)
    }

    fn op(&mut self, name: &str, kind: &str, inputs: &[&str], fields: &[(&str, Given)]) -> String {
        self.text.op((name, kind), inputs, &[], fields);
        name.to_owned()
    }

    fn norm(
        &mut self,
        (name, tensor): (&str, &str),
        input: &str,
        (axis, size): (usize, usize),
    ) -> Result<String, Error> {
        let weight = self.tensor(&format!("{tensor}.weight"), &[size])?;
        let epsilon = Given::Float(self.graph.config.epsilon);
        let fields = [("axis", number(axis)), ("epsilon", epsilon)];
        self.text.op((name, "rms-norm"), &[input], &[("weight", &weight)], &fields);
        Ok(name.to_owned())
    }

    fn linear(
        &mut self,
        (name, tensor): (&str, &str),
        input: &str,
        shape: [usize; 2],
        bias: bool,
    ) -> Result<String, Error> {
        let weight = self.tensor(&format!("{tensor}.weight"), &shape)?;
        let bias = match bias {
            true => Some(self.tensor(&format!("{tensor}.bias"), &shape[..1])?),
            false => None,
        };
        if let Some(bias) = &bias {
            self.graph.tensors.expect_alike([&weight, bias])?;
        }
        let mut tensors = vec![("weight", &weight[..])];
        tensors.extend(bias.iter().map(|bias| ("bias", &bias[..])));
        self.text.op((name, "linear"), &[input], &tensors, &[]);
        Ok(name.to_owned())
    }

    /// The tokens of a value from `first` on.
    fn tokens_from(&mut self, name: &str, input: &str, first: usize) -> String {
        let Graph { config, tokens, .. } = *self.graph;
        let fields = [
            ("starts", sizes(&[0, first])),
            ("counts", sizes(&[config.hidden, tokens - first])),
            ("steps", sizes(&[1, 1])),
        ];
        self.op(name, "slice", &[input], &fields)
    }

    /// Queries or keys of the tokens from `first` on: projected, in heads, normalised where the model does,
    /// and turned.
    fn turned(
        &mut self,
        layer: (&str, &str),
        which: &str,
        (input, heads, first): (&str, usize, usize),
    ) -> Result<String, Error> {
        let config = self.graph.config;
        let apart = self.heads(layer, which, (input, heads, first))?;
        let (at, tensors) = layer;
        let normal = match config.norms_heads {
            true => {
                let name = format!("{at}.{which}_norm");
                let tensor = format!("{tensors}.self_attn.{which}_norm");
                self.norm((&name, &tensor), &apart, (1, config.dimensions))?
            }
            false => apart,
        };
        let mut fields = vec![("theta", Given::Float(config.theta))];
        fields.extend((first > 0).then(|| ("start", number(first))));
        Ok(self.op(&format!("{at}.{which}_rotary"), "rotary", &[&normal], &fields))
    }

    /// A projection to heads of the tokens from `first` on.
    fn heads(
        &mut self,
        (at, tensors): (&str, &str),
        which: &str,
        (input, heads, first): (&str, usize, usize),
    ) -> Result<String, Error> {
        let config = self.graph.config;
        let shape = [heads * config.dimensions, config.hidden];
        let tensor = format!("{tensors}.self_attn.{which}_proj");
        let name = format!("{at}.{which}");
        let flat = self.linear((&name, &tensor), input, shape, config.attention_bias[0])?;
        let shape = sizes(&[heads, config.dimensions, self.graph.tokens - first]);
        Ok(self.op(&format!("{at}.{which}_heads"), "reshape", &[&flat], &[("shape", shape)]))
    }

    /// A layer, whose output has the tokens from `first` on.
    fn layer(&mut self, number_of: usize, input: &str, first: usize) -> Result<String, Error> {
        let Graph { config, tokens, prompt, .. } = *self.graph;
        let (at, tensors) = (format!("layers.{number_of}"), format!("model.layers.{number_of}"));
        let named = |part: &str| format!("{at}.{part}");
        let of = |part: &str| format!("{tensors}.{part}");
        let hidden = config.hidden;
        let layer = (&at[..], &tensors[..]);
        let normal = self.norm((&named("norm"), &of("input_layernorm")), input, (0, hidden))?;
        let k = self.turned(layer, "k", (&normal, config.groups, 0))?;
        let v = self.heads(layer, "v", (&normal, config.groups, 0))?;
        let (residual, asking) = match first {
            0 => (input.to_owned(), normal),
            first => (
                self.tokens_from(&named("answer"), input, first),
                self.tokens_from(&named("answer_norm"), &normal, first),
            ),
        };
        let q = self.turned(layer, "q", (&asking, config.heads, first))?;
        let kv = self.op(&named("kv"), "concat", &[&k, &v], &[("axis", number(0))]);
        let attended = match prompt.filter(|prompt| *prompt < tokens) {
            Some(prompt) => {
                let prompt = [("prompt", number(prompt))];
                let cache = self.op(&named("cache"), "cache", &[&kv], &prompt);
                self.op(&named("attention"), "cached-attention", &[&q, &kv, &cache], &prompt)
            }
            None => self.op(&named("attention"), "attention", &[&q, &kv], &[]),
        };
        let width = config.heads * config.dimensions;
        let shape = [("shape", sizes(&[width, tokens - first]))];
        let flat = self.op(&named("attended"), "reshape", &[&attended], &shape);
        let bias = config.attention_bias[1];
        let o =
            self.linear((&named("o"), &of("self_attn.o_proj")), &flat, [hidden, width], bias)?;
        let sum = self.op(&named("sum"), "add", &[&residual, &o], &[]);
        let tensor = of("post_attention_layernorm");
        let normal = self.norm((&named("mlp_norm"), &tensor), &sum, (0, hidden))?;
        let wide = [config.intermediate, hidden];
        let bias = config.mlp_bias;
        let gate = self.linear((&named("gate"), &of("mlp.gate_proj")), &normal, wide, bias)?;
        let open = self.op(&named("silu"), "silu", &[&gate], &[]);
        let up = self.linear((&named("up"), &of("mlp.up_proj")), &normal, wide, bias)?;
        let product = self.op(&named("product"), "mul", &[&open, &up], &[]);
        let shape = [hidden, config.intermediate];
        let down = self.linear((&named("down"), &of("mlp.down_proj")), &product, shape, bias)?;
        Ok(self.op(&named("mlp_sum"), "add", &[&sum, &down], &[]))
    }
}

impl Graph<'_> {
    /// The text of the workload file, and the names of the tensors that it reads.
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape.
    pub(super) fn text(
        &self,
        about: &About<'_>,
        how: &str,
    ) -> Result<(String, Vec<String>), Error> {
        let Self { config, tensors, tokens, prompt } = *self;
        let text = Text::new(about, how, (&[tokens], Dtype::U32), None);
        let mut writer = Writer { graph: self, text, names: Vec::new() };
        let table = [config.vocabulary, config.hidden];
        let embedding = writer.tensor("model.embed_tokens.weight", &table)?;
        let fields = [("weight", &embedding[..])];
        writer.text.op(("embedding", "embedding"), &[INPUT], &fields, &[]);
        let axes = [("axes", sizes(&[1, 0]))];
        let mut value = writer.op("tokens", "transpose", &["embedding"], &axes);
        for layer in 0..config.layers {
            let is_last = layer + 1 == config.layers;
            let first = prompt.filter(|_| is_last).map_or(0, |prompt| prompt - 1);
            value = writer.layer(layer, &value, first)?;
        }
        let normal = writer.norm(("norm", "model.norm"), &value, (0, config.hidden))?;
        let tied = config.tied.unwrap_or_else(|| !tensors.has("lm_head.weight"));
        match tied {
            true => writer.text.op(("logits", "linear"), &[&normal[..]], &fields, &[]),
            false => {
                writer.linear(("logits", "lm_head"), &normal, table, false)?;
            }
        }
        let mut decision = vec![("kind", "\"tokens\"".into()), ("nan", "\"highest\"".into())];
        if let Some(prompt) = prompt {
            decision.push(("prompt", prompt.to_string()));
            let ends = format!("{:?}", config.ends);
            decision.extend((!config.ends.is_empty()).then_some(("end", ends)));
        }
        writer.text.table("decision", &decision);
        Ok((writer.text.end(about), writer.names))
    }
}
