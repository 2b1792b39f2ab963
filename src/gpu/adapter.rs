//! Which adapter: hardware before software, or the one a user names.

use super::hindrance::hindrance;
use super::{Buffer, Error, Gpu, Kernel, Source};
use crate::op::Arithmetic;
use crate::words;

/// The adapter a user asks for.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum AdapterChoice {
    /// Hardware if there is any, else software.
    #[default]
    Best,
    /// The software adapter.
    Software,
    /// The one of this number, as `beamline adapters` lists them, or the only one whose name, driver
    /// or backend holds this, whatever its case.
    Named(String),
    /// One that was open before.
    Same(Box<Adapter>),
}

impl AdapterChoice {
    /// Reads what `--adapter` or `BEAMLINE_ADAPTER` says: empty or "any", "software", a number or a
    /// part of a name.
    pub fn parse(text: Option<&str>) -> Self {
        match text.map(str::trim) {
            None | Some("" | "any") => Self::Best,
            Some("software") => Self::Software,
            Some(name) => Self::Named(name.to_owned()),
        }
    }
}

/// An adapter: what it is called and what runs it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Adapter {
    /// The device's name.
    pub name: String,
    /// The driver's name.
    pub driver: String,
    /// The driver's version.
    pub driver_info: String,
    /// Vulkan, Metal or Dx12.
    pub backend: String,
    /// "discrete-gpu", "integrated-gpu", "virtual-gpu", "cpu" or "other".
    pub device_type: String,
    /// Whether a CPU runs its shaders.
    pub software: bool,
    /// How it rounds; probed when the device is opened.
    pub arithmetic: Arithmetic,
}

impl Adapter {
    fn new(info: &wgpu::AdapterInfo) -> Self {
        let device_type = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => "discrete-gpu",
            wgpu::DeviceType::IntegratedGpu => "integrated-gpu",
            wgpu::DeviceType::VirtualGpu => "virtual-gpu",
            wgpu::DeviceType::Cpu => "cpu",
            wgpu::DeviceType::Other => "other",
        };
        Self {
            name: info.name.clone(),
            driver: info.driver.clone(),
            driver_info: info.driver_info.clone(),
            backend: format!("{:?}", info.backend),
            device_type: device_type.to_owned(),
            software: info.device_type == wgpu::DeviceType::Cpu,
            arithmetic: Arithmetic::default(),
        }
    }

    /// Name, driver and backend in one line.
    pub fn line(&self) -> String {
        let kind = if self.software { "software" } else { "hardware" };
        format!("{} ({} {}, {}, {kind})", self.name, self.driver, self.driver_info, self.backend)
    }

    fn rank(&self) -> u8 {
        match self.device_type.as_str() {
            "discrete-gpu" => 0,
            "integrated-gpu" => 1,
            "virtual-gpu" => 2,
            "other" => 3,
            _ => 4,
        }
    }

    fn matches(&self, part: &str) -> bool {
        let part = part.to_lowercase();
        [&self.name, &self.driver, &self.backend].iter().any(|s| s.to_lowercase().contains(&part))
    }
}

fn instance() -> wgpu::Instance {
    wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle().with_env())
}

fn enumerate() -> Vec<(wgpu::Adapter, Adapter)> {
    let raw = pollster::block_on(instance().enumerate_adapters(wgpu::Backends::PRIMARY));
    let mut found: Vec<_> = raw
        .into_iter()
        .map(|raw| {
            let adapter = Adapter::new(&raw.get_info());
            (raw, adapter)
        })
        .collect();
    found.sort_by_key(|(_, adapter)| adapter.rank());
    found
}

/// All adapters, hardware first.
pub fn list() -> Vec<Adapter> {
    enumerate().into_iter().map(|(_, adapter)| adapter).collect()
}

pub(super) fn choose(choice: &AdapterChoice) -> Result<(wgpu::Adapter, Adapter), Error> {
    let mut found = enumerate();
    let adapters: Vec<Adapter> = found.iter().map(|(_, adapter)| adapter.clone()).collect();
    Ok(found.swap_remove(chosen(choice, &adapters)?))
}

/// Which of the adapters was asked for.
fn chosen(choice: &AdapterChoice, adapters: &[Adapter]) -> Result<usize, Error> {
    if adapters.is_empty() {
        return Err(hindrance().map_or(Error::NoAdapter, Error::Hindered));
    }
    let wanted = match choice {
        AdapterChoice::Best => return Ok(0),
        AdapterChoice::Software => "software",
        AdapterChoice::Named(part) => part.as_str(),
        AdapterChoice::Same(same) => same.name.as_str(),
    };
    if let AdapterChoice::Named(text) = choice
        && let Some(index) = text.parse().ok().filter(|index| *index < adapters.len())
    {
        return Ok(index);
    }
    let is_meant = |adapter: &Adapter| match choice {
        AdapterChoice::Software => adapter.software,
        // How it rounds is known only once it is open.
        AdapterChoice::Same(same) => {
            let same = Adapter { arithmetic: adapter.arithmetic, ..(**same).clone() };
            *adapter == same
        }
        _ => adapter.matches(wanted),
    };
    let meant: Vec<usize> = (0..adapters.len()).filter(|at| is_meant(&adapters[*at])).collect();
    let wanted = wanted.to_owned();
    match (choice, &meant[..]) {
        (_, []) => {
            let names = adapters.iter().map(|adapter| adapter.name.as_str());
            let hint = words::meant(&wanted, names);
            Err(Error::NoMatch { wanted, hint, found: listed(adapters, 0..adapters.len()) })
        }
        (AdapterChoice::Named(_), [_, _, ..]) => {
            Err(Error::Ambiguous { wanted, found: listed(adapters, meant) })
        }
        (_, [first, ..]) => Ok(*first),
    }
}

/// Adapters by their numbers, a line each.
fn listed(adapters: &[Adapter], which: impl IntoIterator<Item = usize>) -> String {
    which.into_iter().map(|at| format!("\n  {at}  {}", adapters[at].line())).collect()
}

impl Gpu {
    /// Asks the adapter itself how it rounds: (1 + 2⁻¹²)² − 1 − 2⁻¹¹ is 2⁻²⁴ when the product is
    /// not rounded and 0 when it is; 2⁻¹²⁶ × ½ is 2⁻¹²⁷ unless subnormals are flushed.
    ///
    /// # Errors
    /// Where the GPU fails.
    pub fn probe(&self) -> Result<(Arithmetic, [f32; 2]), Error> {
        let a = 1.0 + 2f32.powi(-12);
        let c = -1.0 - 2f32.powi(-11);
        let input = self.upload("probe input", &[a, a, c, f32::MIN_POSITIVE, 0.5, 0.0]);
        let output: Buffer<f32> = self.zeroed("probe output", 2);
        let kernel = Kernel::new(self, Source::named("probe"), "main", &[])?;
        self.submit(|pass| kernel.dispatch(pass, [&input, &output], [1, 1, 1]))?;
        let out = self.read(&output)?;
        let found = Arithmetic { fma_fused: out[0] != 0.0, flushes_subnormals: out[1] == 0.0 };
        Ok((found, [out[0], out[1]]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(name: &str, driver: &str, software: bool) -> Adapter {
        Adapter {
            name: name.into(),
            driver: driver.into(),
            driver_info: "1.0".into(),
            backend: "Vulkan".into(),
            device_type: if software { "cpu" } else { "discrete-gpu" }.into(),
            software,
            arithmetic: Arithmetic::default(),
        }
    }

    fn adapters() -> Vec<Adapter> {
        vec![
            adapter("NVIDIA H100", "NVIDIA", false),
            adapter("NVIDIA RTX 3090", "NVIDIA", false),
            adapter("llvmpipe (LLVM 15)", "llvmpipe", true),
        ]
    }

    fn index(text: &str) -> Result<usize, Error> {
        chosen(&AdapterChoice::parse(Some(text)), &adapters())
    }

    #[test]
    fn an_adapter_is_chosen_by_its_number_or_the_only_name_with_a_part() {
        for (text, at) in
            [("", 0), ("any", 0), ("0", 0), ("1", 1), ("2", 2), ("software", 2), ("h100", 0)]
        {
            assert_eq!(index(text).expect("an adapter"), at, "{text:?}");
        }
        assert_eq!(index("LLVMpipe").expect("an adapter"), 2);
        assert_eq!(index("3090").expect("a number past the list is a part of a name"), 1);
    }

    #[test]
    fn a_part_of_several_names_is_refused_with_their_numbers() {
        let error = index("nvidia").expect_err("two of them").to_string();
        assert!(error.contains("\n  0  NVIDIA H100"), "{error}");
        assert!(error.contains("\n  1  NVIDIA RTX 3090"), "{error}");
        assert!(!error.contains("llvmpipe"), "{error}");
        let error = index("7").expect_err("no such number or name").to_string();
        assert!(error.contains("\n  2  llvmpipe"), "{error}");
    }

    #[test]
    fn the_adapter_that_was_open_is_found_again_among_its_twins() {
        let twins = vec![adapter("A", "a", false), adapter("A", "a", false)];
        let open = Arithmetic { fma_fused: true, flushes_subnormals: true };
        let same = Adapter { arithmetic: open, ..twins[0].clone() };
        assert!(chosen(&AdapterChoice::Named("A".into()), &twins).is_err());
        assert_eq!(chosen(&AdapterChoice::Same(Box::new(same)), &twins).expect("one"), 0);
    }
}
