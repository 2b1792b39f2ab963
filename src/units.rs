//! Conversions between the units of the field, each with its source.

/// Radius of the sphere that altitudes are counted from, in km: the reference radius of the IGRF
/// (Alken et al. 2021, doi 10.1186/s40623-020-01288-x).
pub const EARTH_RADIUS_KM: f64 = 6371.2;

/// Radius of the Earth at the equator, in km (WGS 84).
pub const EQUATOR_KM: f64 = 6378.137;

/// Seconds of a day.
pub const DAY_S: f64 = 86_400.0;

/// Seconds of a Julian year of 365.25 days.
pub const YEAR_S: f64 = 365.25 * DAY_S;

/// Areal density of one millimetre of aluminium of 2.6989 g/cm³ (NIST), in g/cm².
pub const G_PER_CM2_OF_MM_AL: f64 = 0.269_89;

/// One MeV per gram in rad: 1.602176634e-13 J over 1e-3 kg is 1.602e-10 Gy, and 1 Gy is 100 rad.
pub const RAD_PER_MEV_G: f64 = 1.602_176_634e-8;
