//! Bodies of fuzz targets and what they are compared with. Not part of the API.

pub mod coding;
pub mod cookie;
pub mod multipart;
pub mod proxy;
pub mod reading;
