//! Small ONNX files, written field by field (`onnx.proto`).
#![allow(clippy::cast_possible_truncation, reason = "bytes of a number, seven bits each")]

/// A message that grows.
#[derive(Clone, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn int(mut self, tag: u64, value: i64) -> Self {
        self.varint(tag << 3);
        self.varint(value.cast_unsigned());
        self
    }

    fn bytes(mut self, tag: u64, bytes: &[u8]) -> Self {
        self.varint(tag << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    fn text(self, tag: u64, text: &str) -> Self {
        self.bytes(tag, text.as_bytes())
    }

    fn message(self, tag: u64, message: &Self) -> Self {
        self.bytes(tag, &message.0)
    }
}

/// A node that is being written.
#[derive(Clone)]
pub(crate) struct Node(Message);

/// A node of this operator, from these inputs to this output.
pub(crate) fn node(operator: &str, inputs: &[&str], output: &str) -> Node {
    let message = inputs.iter().fold(Message::default(), |message, input| message.text(1, input));
    Node(message.text(2, output).text(4, operator))
}

impl Node {
    /// An attribute that is a whole number.
    pub(crate) fn int(self, name: &str, value: i64) -> Self {
        let attribute = Message::default().text(1, name).int(3, value).int(20, 2);
        Self(self.0.message(5, &attribute))
    }
}

/// A tensor of 64-bit whole numbers.
fn whole(name: &str, numbers: &[i64]) -> Message {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    Message::default().int(1, numbers.len() as i64).int(2, 7).text(8, name).bytes(9, &bytes)
}

/// A graph that reads `x`.
pub(crate) struct Graph(Message);

/// A declared value of floats; 0 is a dimension that is left open.
fn declared(name: &str, shape: &[i64]) -> Message {
    let dims = shape.iter().fold(Message::default(), |shape, size| {
        let dim = if *size == 0 {
            Message::default().text(2, "open")
        } else {
            Message::default().int(1, *size)
        };
        shape.message(1, &dim)
    });
    let tensor = Message::default().int(1, 1).message(2, &dims);
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor))
}

fn tensor(name: &str, shape: &[i64]) -> Message {
    let message = shape.iter().fold(Message::default(), |message, size| message.int(1, *size));
    message.int(2, 1).text(8, name)
}

impl Graph {
    /// One whose input has this shape.
    pub(crate) fn new(shape: &[i64]) -> Self {
        Self(Message::default().message(11, &declared("x", shape)))
    }

    fn add(&mut self, tag: u64, message: &Message) -> &mut Self {
        self.0 = std::mem::take(&mut self.0).message(tag, message);
        self
    }

    /// Another input.
    pub(crate) fn input(&mut self, name: &str, shape: &[i64]) -> &mut Self {
        self.add(11, &declared(name, shape))
    }

    pub(crate) fn node(&mut self, node: Node) -> &mut Self {
        self.add(1, &node.0)
    }

    /// A list of whole numbers.
    pub(crate) fn ints(&mut self, name: &str, numbers: &[i64]) -> &mut Self {
        self.add(5, &whole(name, numbers))
    }

    /// A tensor of floats.
    pub(crate) fn floats(&mut self, name: &str, shape: &[i64], floats: &[f32]) -> &mut Self {
        let bytes: Vec<u8> = floats.iter().flat_map(|float| float.to_le_bytes()).collect();
        self.claimed(name, shape, &bytes)
    }

    /// A tensor of these bytes, whatever its shape claims.
    pub(crate) fn claimed(&mut self, name: &str, shape: &[i64], bytes: &[u8]) -> &mut Self {
        self.add(5, &tensor(name, shape).bytes(9, bytes))
    }

    /// A tensor in a file beside the model.
    pub(crate) fn external(
        &mut self,
        name: &str,
        shape: &[i64],
        entries: &[(&str, &str)],
    ) -> &mut Self {
        let message =
            entries.iter().fold(tensor(name, shape).int(14, 1), |message, (key, value)| {
                message.message(13, &Message::default().text(1, key).text(2, value))
            });
        self.add(5, &message)
    }

    /// The file of a model that delivers this value.
    pub(crate) fn bytes(&self, output: &str) -> Vec<u8> {
        let graph = self.0.clone().message(12, &Message::default().text(1, output));
        let opset = Message::default().int(2, 17);
        Message::default().int(1, 8).message(7, &graph).message(8, &opset).0
    }
}
