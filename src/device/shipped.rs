//! The devices that are built in.

/// Names and texts, in the order of the alphabet.
pub(super) const SHIPPED: [(&str, &str); 16] = [
    ("creme96-lm7912", include_str!("../../fault-models/devices/creme96-lm7912.toml")),
    (
        "creme96-proton-reference",
        include_str!("../../fault-models/devices/creme96-proton-reference.toml"),
    ),
    ("ddr4-hynix-8gb", include_str!("../../fault-models/devices/ddr4-hynix-8gb.toml")),
    ("ddr4-micron-4gb", include_str!("../../fault-models/devices/ddr4-micron-4gb.toml")),
    ("ddr4-micron-8gb", include_str!("../../fault-models/devices/ddr4-micron-8gb.toml")),
    ("ddr4-nanya-4gb", include_str!("../../fault-models/devices/ddr4-nanya-4gb.toml")),
    ("ddr4-samsung-4gb", include_str!("../../fault-models/devices/ddr4-samsung-4gb.toml")),
    ("ddr4t04g72", include_str!("../../fault-models/devices/ddr4t04g72.toml")),
    ("jetson-tx1", include_str!("../../fault-models/devices/jetson-tx1.toml")),
    ("jetson-tx2", include_str!("../../fault-models/devices/jetson-tx2.toml")),
    ("k20x", include_str!("../../fault-models/devices/k20x.toml")),
    ("orin-nx", include_str!("../../fault-models/devices/orin-nx.toml")),
    ("trillium-hbm", include_str!("../../fault-models/devices/trillium-hbm.toml")),
    ("trillium-tpu", include_str!("../../fault-models/devices/trillium-tpu.toml")),
    ("xavier-nx", include_str!("../../fault-models/devices/xavier-nx.toml")),
    ("zynq-us-tensil", include_str!("../../fault-models/devices/zynq-us-tensil.toml")),
];
