//! The memories that are built in.

/// Names and texts, in the order of the alphabet.
pub(super) const SHIPPED: [(&str, &str); 8] = [
    ("a100-40gb", include_str!("../../../fault-models/memories/a100-40gb.toml")),
    ("a100-80gb", include_str!("../../../fault-models/memories/a100-80gb.toml")),
    ("ddr4", include_str!("../../../fault-models/memories/ddr4.toml")),
    ("ddr5", include_str!("../../../fault-models/memories/ddr5.toml")),
    ("gddr6", include_str!("../../../fault-models/memories/gddr6.toml")),
    ("h100-80gb", include_str!("../../../fault-models/memories/h100-80gb.toml")),
    ("tpu-v6e-32gb", include_str!("../../../fault-models/memories/tpu-v6e-32gb.toml")),
    ("v100-32gb", include_str!("../../../fault-models/memories/v100-32gb.toml")),
];
