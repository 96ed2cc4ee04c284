//! Sets the cfg `interop` if the environment has `SESSIO_INTEROP=1`. Without it, the tests against
//! real programs are ignored.
#![forbid(unsafe_code)]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SESSIO_INTEROP");
    println!("cargo::rustc-check-cfg=cfg(interop)");
    if std::env::var("SESSIO_INTEROP").is_ok_and(|on| on == "1") {
        println!("cargo::rustc-cfg=interop");
    }
}
