//! Kernels: a compute pipeline, its bindings in argument order, and its dispatch.

use super::{Buffer, Error, Gpu, Source};
use crate::op::{Bind, KernelSpec, Table};
use bytemuck::Pod;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Something that a kernel binds: any buffer.
pub trait Binding {
    /// The buffer as wgpu knows it.
    fn raw(&self) -> &wgpu::Buffer;
}

impl<T: Pod> Binding for Buffer<T> {
    fn raw(&self) -> &wgpu::Buffer {
        &self.raw
    }
}

/// A recording of dispatches and copies, submitted as one.
pub struct Pass<'a> {
    gpu: &'a Gpu,
    groups_max: u32,
    encoder: &'a mut wgpu::CommandEncoder,
    compute: Option<wgpu::ComputePass<'static>>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        gpu: &'a Gpu,
        groups_max: u32,
        encoder: &'a mut wgpu::CommandEncoder,
    ) -> Self {
        Self { gpu, groups_max, encoder, compute: None }
    }

    /// Binds `buffers` in order to the kernel of a shader with these constants, which is built where it is
    /// the first of its kind, and dispatches it. A shader that does not compile is the error of the
    /// submission.
    pub fn run<const N: usize>(
        &mut self,
        shader: &'static str,
        constants: &[(&'static str, u32)],
        buffers: [&dyn Binding; N],
        groups: [u32; 3],
    ) {
        match self.gpu.built((shader, "main", constants.to_vec())) {
            Ok(kernel) => kernel.dispatch_all(self, &buffers, groups),
            Err(error) => super::record(&self.gpu.failure, error),
        }
    }

    fn compute(&mut self) -> &mut wgpu::ComputePass<'static> {
        let encoder = &mut *self.encoder;
        self.compute.get_or_insert_with(|| {
            encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()).forget_lifetime()
        })
    }

    /// Copies `len` values from the start of one buffer to another's.
    pub fn copy<T: Pod>(&mut self, from: &Buffer<T>, to: &Buffer<T>, len: usize) {
        self.compute = None;
        let bytes = ((len * size_of::<T>()) as u64).next_multiple_of(4);
        self.encoder.copy_buffer_to_buffer(from.raw(), 0, to.raw(), 0, bytes);
    }

    /// Sets a whole buffer to zero.
    pub fn clear<T: Pod>(&mut self, buffer: &Buffer<T>) {
        self.compute = None;
        self.encoder.clear_buffer(buffer.raw(), 0, None);
    }
}

/// A compute pipeline with its layout taken from the shader. Group 0 only; the binding index is
/// the argument's place.
#[derive(Debug)]
pub struct Kernel {
    name: &'static str,
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

impl Kernel {
    /// Builds the pipeline of `entry` with the given `override` constants.
    ///
    /// # Errors
    /// [`Error::Shader`] with the file and line where the shader does not compile.
    pub fn new(
        gpu: &Gpu,
        source: Source,
        entry: &str,
        constants: &[(&str, f64)],
    ) -> Result<Self, Error> {
        let fail = |message: String| Error::Shader { name: source.name.to_owned(), message };
        let text = super::compose(source).map_err(&fail)?;
        let scope = gpu.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let module = gpu.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(source.name),
            source: wgpu::ShaderSource::Wgsl(text.into()),
        });
        let pipeline = gpu.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(source.name),
            layout: None,
            module: &module,
            entry_point: Some(entry),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants,
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(fail(error.to_string()));
        }
        let layout = pipeline.get_bind_group_layout(0);
        Ok(Self { name: source.name, pipeline, layout })
    }

    /// Binds `buffers` in order and dispatches `groups` workgroups.
    ///
    /// # Panics
    /// Past the adapter's workgroups in one dimension; [`Pass::fold`] stays within them.
    pub fn dispatch<const N: usize>(
        &self,
        pass: &mut Pass<'_>,
        buffers: [&dyn Binding; N],
        groups: [u32; 3],
    ) {
        self.dispatch_all(pass, &buffers, groups);
    }

    fn dispatch_all(&self, pass: &mut Pass<'_>, buffers: &[&dyn Binding], groups: [u32; 3]) {
        if groups.contains(&0) {
            return;
        }
        assert!(
            groups.iter().all(|g| *g <= pass.groups_max),
            "{}: {groups:?} workgroups",
            self.name
        );
        let mut entries = Vec::with_capacity(buffers.len());
        for (binding, buffer) in (0u32..).zip(buffers) {
            let resource = buffer.raw().as_entire_binding();
            entries.push(wgpu::BindGroupEntry { binding, resource });
        }
        let group = pass.gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(self.name),
            layout: &self.layout,
            entries: &entries,
        });
        let compute = pass.compute();
        compute.set_pipeline(&self.pipeline);
        compute.set_bind_group(0, &group, &[]);
        compute.dispatch_workgroups(groups[0], groups[1], groups[2]);
    }
}

impl Pass<'_> {
    /// Workgroups that cover `invocations` at `group_size` each, folded to two dimensions where
    /// one is not enough. Shaders rebuild the index as `id.x + id.y * GROUPS_X * group_size`, from
    /// `num_workgroups`.
    ///
    /// # Panics
    /// Past the square of the adapter's workgroups in one dimension.
    pub fn fold(&self, invocations: u64, group_size: u32) -> [u32; 3] {
        let groups = invocations.div_ceil(u64::from(group_size));
        let max = u64::from(self.groups_max);
        let y = groups.div_ceil(max).max(1);
        let x = groups.div_ceil(y);
        assert!(y <= max, "{invocations} invocations are past what two dimensions hold");
        #[expect(clippy::cast_possible_truncation, reason = "both are at most groups_max, a u32")]
        [x as u32, y as u32, 1]
    }
}

/// Shader, entry and constants of a kernel.
type Key = (&'static str, &'static str, Vec<(&'static str, u32)>);

/// The kernels of ops that were built so far.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<HashMap<Key, Arc<Kernel>>>);

/// The buffers of an op: of each input its words and the slot of each block.
#[derive(Clone, Copy)]
pub struct Operands<'a> {
    /// The inputs in the order of the op. Stored tensors of one op lie in one buffer and share their slots.
    pub inputs: &'a [(&'a Buffer<u32>, &'a Buffer<u32>)],
    /// The output, `[block, feature, row]`.
    pub output: &'a Buffer<u32>,
    /// Trap words, for an op that may trap.
    pub traps: Option<&'a Buffer<u32>>,
    /// The lane of each block, for an op that traps by inference.
    pub lanes: Option<&'a Buffer<u32>>,
}

/// The tables that ops have bound so far.
#[derive(Debug, Default)]
pub(super) struct Tables(Mutex<HashMap<Table, Buffer<u32>>>);

impl Gpu {
    /// The buffer of a table, uploaded where it is the first like it; an empty one is a word that no kernel
    /// reads.
    fn table(&self, table: &Table) -> Buffer<u32> {
        let mut tables = self.tables.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(buffer) = tables.get(table) {
            return buffer.clone();
        }
        let words = if table.is_empty() { vec![0] } else { table.words() };
        let buffer = self.upload("table", &words);
        tables.insert(table.clone(), buffer.clone());
        buffer
    }

    /// The kernel of shader, entry and constants, built where it is the first of its kind.
    fn built(&self, key: Key) -> Result<Arc<Kernel>, Error> {
        let mut kernels = self.kernels.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kernel) = kernels.get(&key) {
            return Ok(Arc::clone(kernel));
        }
        let constants: Vec<(&str, f64)> =
            key.2.iter().map(|(name, value)| (*name, f64::from(*value))).collect();
        let kernel = Kernel::new(self, Source::named(key.0), key.1, &constants)?;
        let kernel = Arc::new(kernel);
        kernels.insert(key, Arc::clone(&kernel));
        Ok(kernel)
    }

    /// Records an op's kernel. A shader that does not compile is the error of the submission.
    ///
    /// # Panics
    /// Where the kernel binds what `operands` does not have.
    pub fn encode(&self, pass: &mut Pass<'_>, spec: &KernelSpec, operands: Operands<'_>) {
        let kernel = match self.built((spec.shader, spec.entry, spec.constants.clone())) {
            Ok(kernel) => kernel,
            Err(error) => {
                super::record(&self.failure, error);
                return;
            }
        };
        let params: Vec<u32> = spec.params.iter().map(|(_, value)| *value).collect();
        let params = self.uniform_words(spec.shader, &params);
        let table = self.table(&spec.table);
        let mut buffers: Vec<&dyn Binding> = vec![&params];
        for bind in &spec.bindings {
            buffers.push(match *bind {
                Bind::Words(input) => operands.inputs[input].0,
                Bind::Slots(input) => operands.inputs[input].1,
                Bind::Output => operands.output,
                #[expect(clippy::expect_used, reason = "the caller knows that the kernel may trap")]
                Bind::Traps => operands.traps.expect("a place for traps"),
                #[expect(clippy::expect_used, reason = "the caller knows that the kernel may trap")]
                Bind::Lanes => operands.lanes.expect("the lane of each block"),
                Bind::Table => &table,
            });
        }
        let mut groups = pass.fold(spec.invocations, spec.group);
        groups[2] = spec.depth;
        kernel.dispatch_all(pass, &buffers, groups);
    }
}
