//! The steps of building a request, for every builder there is.

/// The steps that a builder takes over from [`Request`](sessio::Request), which it has in the field
/// `$inner`: a builder that wraps another builder takes the same steps.
#[doc(hidden)]
#[macro_export]
macro_rules! request_steps {
    ($inner:tt) => {
        $crate::request_steps! { $inner:
            header[](name: impl AsRef<[u8]>, value: impl AsRef<[u8]>);
            append_header[](name: impl AsRef<[u8]>, value: impl AsRef<[u8]>);
            headers[](headers: &$crate::sessio::Headers);
            remove_header[](name: &str);
            param[](key: impl Into<String>, value: impl Into<String>);
            query[K: Into<String>, V: Into<String>](pairs: impl IntoIterator<Item = (K, V)>);
            remove_param[](key: &str);
            cookie[](name: impl AsRef<[u8]>, value: impl AsRef<[u8]>);
            without_jar[]();
            auth[](auth: $crate::sessio::Auth);
            basic_auth[](user: impl AsRef<[u8]>, password: impl AsRef<[u8]>);
            bearer_auth[](token: impl AsRef<[u8]>);
            without_auth[]();
            body[](body: impl Into<$crate::sessio::Body>);
            form[K: AsRef<str>, V: AsRef<str>](pairs: impl IntoIterator<Item = (K, V)>);
            compress[](coding: $crate::sessio::coding::Coding);
            redirects[](most: impl Into<Option<u32>>);
            detect_loops[](detect: bool);
            keep_on_upgrade[](keep: bool);
            timeout[](most: impl Into<Option<std::time::Duration>>);
            expect_continue[]();
            on_upload_progress[](tell: impl Fn($crate::sessio::Transfer) + Send + Sync + 'static);
            on_download_progress[](tell: impl Fn($crate::sessio::Transfer) + Send + Sync + 'static);
            body_limit[](most: impl Into<Option<u64>>);
            decode[](decode: bool);
            tls[](tls: $crate::sessio::Tls);
            roots[](roots: impl Into<$crate::sessio::tls::Roots>);
            identity[](identity: impl Into<Option<$crate::sessio::tls::Identity>>);
            danger_accept_invalid_certs[](accept: bool);
            proxy[V: TryInto<$crate::sessio::proxy::Via, Error: Into<$crate::sessio::Error>>](proxy: V);
            proxies[](proxies: $crate::sessio::Proxies);
            without_proxy[]();
            observe[](observer: $crate::sessio::Observer);
        }
    };
    ($inner:tt: $($name:ident[$($generic:tt)*]($($argument:ident: $type:ty),*);)*) => {
        $(
            #[doc = concat!("See [`Request::", stringify!($name), "`]($crate::sessio::Request::", stringify!($name), ").")]
            pub fn $name<$($generic)*>(mut self, $($argument: $type),*) -> Self {
                self.$inner = self.$inner.$name($($argument),*);
                self
            }
        )*
    };
}
