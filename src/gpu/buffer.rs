//! Typed buffers, upload and read-back.

use super::{Binding, Error, Gpu};
use bytemuck::Pod;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::mpsc;

/// A buffer of `len` values on the GPU.
#[derive(Debug, Clone)]
pub struct Buffer<T> {
    pub(super) raw: wgpu::Buffer,
    len: usize,
    of: PhantomData<T>,
}

impl<T: Pod> Buffer<T> {
    /// How many values it holds.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> u64 {
        self.raw.size()
    }
}

/// Storage bindings are never empty and always whole words of four.
fn padded_bytes<T>(len: usize) -> u64 {
    ((len * size_of::<T>()) as u64).next_multiple_of(16).max(16)
}

impl Gpu {
    fn buffer<T>(&self, label: &'static str, len: usize, usage: wgpu::BufferUsages) -> Buffer<T> {
        let raw = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: padded_bytes::<T>(len),
            usage,
            mapped_at_creation: false,
        });
        Buffer { raw, len, of: PhantomData }
    }

    /// A storage buffer of zeros.
    pub fn zeroed<T: Pod>(&self, label: &'static str, len: usize) -> Buffer<T> {
        use wgpu::BufferUsages as Usage;
        self.buffer(label, len, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST)
    }

    /// A storage buffer that holds `data`.
    pub fn upload<T: Pod>(&self, label: &'static str, data: &[T]) -> Buffer<T> {
        let buffer = self.zeroed(label, data.len());
        self.write(&buffer, 0, data);
        buffer
    }

    /// A storage buffer that holds a list whose length the shader takes from `arrayLength`: the
    /// padding to whole bindings is all ones, which no shader takes for an index.
    pub fn list<T: Pod>(&self, label: &'static str, data: &[T]) -> Buffer<T> {
        let buffer: Buffer<T> = self.zeroed(label, data.len());
        let mut bytes = bytemuck::cast_slice::<T, u8>(data).to_vec();
        bytes.resize(usize::try_from(buffer.bytes()).unwrap_or(usize::MAX), 0xff);
        self.queue.write_buffer(&buffer.raw, 0, &bytes);
        buffer
    }

    /// A uniform buffer that holds `value`.
    pub fn uniform<T: Pod>(&self, label: &'static str, value: &T) -> Buffer<T> {
        let buffer =
            self.buffer(label, 1, wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST);
        self.write(&buffer, 0, std::slice::from_ref(value));
        buffer
    }

    /// A uniform buffer that holds these words.
    pub(super) fn uniform_words(&self, label: &'static str, words: &[u32]) -> Buffer<u32> {
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let buffer = self.buffer(label, words.len(), usage);
        self.write(&buffer, 0, words);
        buffer
    }

    /// Writes `data` at value `offset`, before whatever is submitted next.
    ///
    /// # Panics
    /// Where the data runs past the end of the buffer.
    pub fn write<T: Pod>(&self, buffer: &Buffer<T>, offset: usize, data: &[T]) {
        assert!(offset + data.len() <= buffer.len, "a write past the end of a buffer");
        if data.is_empty() {
            return;
        }
        let bytes: &[u8] = bytemuck::cast_slice(data);
        let at = (offset * size_of::<T>()) as u64;
        self.queue.write_buffer(&buffer.raw, at, bytes);
    }

    /// Reads a whole buffer back, after all that was submitted.
    ///
    /// # Errors
    /// Where the device is lost or an earlier command failed.
    pub fn read<T: Pod>(&self, buffer: &Buffer<T>) -> Result<Vec<T>, Error> {
        let mut parts = self.read_parts(&[(&buffer.raw, 0..buffer.len * size_of::<T>())])?;
        Ok(parts.pop().map_or_else(Vec::new, |bytes| bytemuck::pod_collect_to_vec(&bytes)))
    }

    /// Reads the first words of several buffers back in one submission.
    ///
    /// # Errors
    /// As [`Gpu::read`].
    pub fn read_words(&self, parts: &[(&dyn Binding, usize)]) -> Result<Vec<Vec<u32>>, Error> {
        let ranges: Vec<_> = parts.iter().map(|(buffer, words)| (*buffer, 0..*words)).collect();
        self.read_ranges(&ranges)
    }

    /// Reads a range of the words of several buffers back in one submission.
    ///
    /// # Errors
    /// As [`Gpu::read`].
    pub fn read_ranges(
        &self,
        parts: &[(&dyn Binding, Range<usize>)],
    ) -> Result<Vec<Vec<u32>>, Error> {
        let bytes: Vec<_> = (parts.iter())
            .map(|(buffer, words)| (buffer.raw(), 4 * words.start..4 * words.end))
            .collect();
        let read = self.read_parts(&bytes)?;
        Ok(read.iter().map(|bytes| bytemuck::pod_collect_to_vec(bytes)).collect())
    }

    /// Copies a range of the bytes of each buffer into one staging buffer and maps it.
    fn read_parts(&self, parts: &[(&wgpu::Buffer, Range<usize>)]) -> Result<Vec<Vec<u8>>, Error> {
        let sizes: Vec<u64> =
            parts.iter().map(|(_, bytes)| (bytes.len() as u64).next_multiple_of(16)).collect();
        let total: u64 = sizes.iter().sum();
        if total == 0 {
            self.wait()?;
            return Ok(parts.iter().map(|_| Vec::new()).collect());
        }
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("read-back"),
            size: total,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder =
            self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut at = 0;
        for ((raw, bytes), size) in parts.iter().zip(&sizes) {
            let from = bytes.start as u64;
            encoder.copy_buffer_to_buffer(raw, from, &staging, at, (*size).min(raw.size() - from));
            at += size;
        }
        let submission = self.queue.submit([encoder.finish()]);
        let (sender, receiver) = mpsc::channel();
        staging.map_async(wgpu::MapMode::Read, .., move |result| {
            drop(sender.send(result));
        });
        self.wait_for(submission)?;
        // Another thread that polls the same device may be the one to call back.
        match receiver.recv_timeout(super::SUBMISSION_TIMEOUT) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(Error::Lost(error.to_string())),
            Err(_) => return Err(Error::Lost("the read-back never finished".into())),
        }
        let view = staging.get_mapped_range(..).map_err(|e| Error::Lost(e.to_string()))?;
        let mut out = Vec::with_capacity(parts.len());
        let mut at = 0;
        for ((_, bytes), size) in parts.iter().zip(&sizes) {
            let from = usize::try_from(at).unwrap_or(usize::MAX);
            out.push(view[from..from + bytes.len()].to_vec());
            at += size;
        }
        Ok(out)
    }
}
