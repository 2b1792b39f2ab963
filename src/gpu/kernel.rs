//! Kernels: a compute pipeline, its bindings in argument order, and its dispatch.

use super::{Buffer, Error, Gpu, Source};
use bytemuck::Pod;

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
    device: &'a wgpu::Device,
    groups_max: u32,
    encoder: &'a mut wgpu::CommandEncoder,
    compute: Option<wgpu::ComputePass<'static>>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        device: &'a wgpu::Device,
        groups_max: u32,
        encoder: &'a mut wgpu::CommandEncoder,
    ) -> Self {
        Self { device, groups_max, encoder, compute: None }
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
        if groups.contains(&0) {
            return;
        }
        assert!(
            groups.iter().all(|g| *g <= pass.groups_max),
            "{}: {groups:?} workgroups",
            self.name
        );
        let entries: [wgpu::BindGroupEntry<'_>; N] =
            std::array::from_fn(|i| wgpu::BindGroupEntry {
                binding: u32::try_from(i).unwrap_or(u32::MAX),
                resource: buffers[i].raw().as_entire_binding(),
            });
        let group = pass.device.create_bind_group(&wgpu::BindGroupDescriptor {
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
