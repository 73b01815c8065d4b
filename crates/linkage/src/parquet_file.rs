//! People in Parquet, where the build has the feature.

use std::path::Path;

use crate::columns::ColumnMap;
use crate::error::LinkageError;
use crate::table::Table;

pub(crate) fn read(_path: &Path, _map: &ColumnMap, _threads: usize) -> Result<Table, LinkageError> {
    Err(LinkageError::ParquetUnsupported)
}
