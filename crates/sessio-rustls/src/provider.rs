//! The compiled-in cryptography.

use std::sync::{Arc, LazyLock};

use rustls::crypto::CryptoProvider;

/// The provider of the enabled features. Every call returns the same value. `None` without such a
/// feature.
pub(crate) fn built_in() -> Option<Arc<CryptoProvider>> {
    static BUILT_IN: LazyLock<Option<Arc<CryptoProvider>>> = LazyLock::new(|| {
        #[cfg(feature = "aws-lc-rs")]
        return Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
        #[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
        return Some(Arc::new(rustls::crypto::ring::default_provider()));
        #[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
        None
    });
    BUILT_IN.clone()
}
