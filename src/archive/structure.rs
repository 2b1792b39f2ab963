//! How a file must be built before anything in it is read: groups and chunked tables, linked within
//! the file, each chunk where the file has bytes for it.
//!
//! What is refused here would lead out of the file (external links and storage, virtual tables),
//! load code (filters from plugins) or ask for more memory than the file can fill.

use super::file::{CHUNK_BYTES, FILTERS, unexpected};
use hdf5::dataset::Layout;
use hdf5::{Dataset, Group, LinkType, LocationType};

/// Groups within groups.
const DEPTH_MAX: usize = 4;
/// Objects of a file.
const OBJECTS_MAX: usize = 2000;

/// Checks all that hangs below the root of a file of `length` bytes.
pub(super) fn check(root: &Group, length: u64) -> hdf5::Result<()> {
    let mut objects = 0;
    check_group(root, length, 0, &mut objects)
}

fn check_group(group: &Group, length: u64, depth: usize, objects: &mut usize) -> hdf5::Result<()> {
    let mut names = Vec::new();
    group.iter_visit_default(|name, link| {
        *objects += 1;
        if link.link_type != LinkType::Hard {
            let kind = if link.link_type == LinkType::Soft { "a soft" } else { "an external" };
            let found = format!("{kind} link at {}/{name}", group.name());
            return Err(unexpected("links within the file alone", found));
        }
        if *objects > OBJECTS_MAX || depth > DEPTH_MAX {
            let found = format!("more at {}/{name}", group.name());
            return Err(unexpected(
                format!("at most {OBJECTS_MAX} objects, {DEPTH_MAX} deep"),
                found,
            ));
        }
        names.push(name.to_owned());
        Ok(())
    })?;
    for name in names {
        match group.loc_type_by_name(&name)? {
            LocationType::Group => check_group(&group.group(&name)?, length, depth + 1, objects)?,
            LocationType::Dataset => check_table(&group.dataset(&name)?, length)?,
            other => {
                let found = format!("{other:?} at {}/{name}", group.name());
                return Err(unexpected("groups and tables", found));
            }
        }
    }
    Ok(())
}

/// Holds a table to what `file::create_table` makes. What it is stored as comes first: to ask a
/// virtual table for its size opens other files.
fn check_table(table: &Dataset, length: u64) -> hdf5::Result<()> {
    let name = table.name();
    let stored = table.create_plist()?;
    let layout = stored.get_layout()?;
    if layout != Layout::Chunked {
        return Err(unexpected(format!("{name} in chunks"), format!("{layout:?}")));
    }
    let filters = stored.get_filters()?;
    if filters != FILTERS {
        return Err(unexpected(format!("{name} stored with {FILTERS:?}"), format!("{filters:?}")));
    }
    let (shape, chunk) = (table.shape(), stored.get_chunk()?.unwrap_or_default());
    let ([rows], [chunk]) = (shape.as_slice(), chunk.as_slice()) else {
        return Err(unexpected(
            format!("{name} of one dimension"),
            format!("{shape:?} in {chunk:?}"),
        ));
    };
    let row = table.dtype()?.size();
    let bytes = chunk.saturating_mul(row);
    if bytes == 0 || bytes > CHUNK_BYTES.max(row) || row > CHUNK_BYTES {
        let found = format!("{chunk} rows of {row} bytes");
        return Err(unexpected(format!("chunks of {name} of at most {CHUNK_BYTES} bytes"), found));
    }
    let (expected, found) = (rows.div_ceil(*chunk), table.num_chunks().unwrap_or(0));
    if expected != found {
        return Err(unexpected(format!("{expected} chunks for the {rows} rows of {name}"), found));
    }
    // Deflate adds some bytes to what it cannot compress, and the checksum has four.
    let most = (bytes + bytes / 100 + 64) as u64;
    for index in 0..found {
        let at = table.chunk_info(index);
        let within = |at: &hdf5::dataset::ChunkInfo| {
            let end = at.addr.checked_add(at.size);
            at.filter_mask == 0 && at.size <= most && end.is_some_and(|end| end <= length)
        };
        if !at.as_ref().is_some_and(within) {
            let found = at.map_or("none".into(), |at| {
                format!(
                    "{} bytes from {}, filters {:#b} left out",
                    at.size, at.addr, at.filter_mask
                )
            });
            return Err(unexpected(format!("chunk {index} of {name} within the file"), found));
        }
    }
    Ok(())
}
