//! The two modes of a session: with `.await`, or in the calling thread.

use crate::runtime::Runtime;

/// The mode of a session whose methods return futures.
#[derive(Clone, Copy, Debug)]
pub enum Async {}

/// The mode of a session whose methods return when the operation is done.
#[derive(Clone, Copy, Debug)]
pub enum Blocking {}

/// A runtime that can wait for a future in the calling thread. Sessions in the mode [`Blocking`]
/// need one.
pub trait BlockOn: Runtime {
    /// Runs a future to its end.
    fn block_on<T>(future: impl Future<Output = T>) -> T;
}

/// Defines methods that wait, once for both modes: `async` in one, blocking in the other. The
/// documentation in `async { }` is for the first mode only.
///
/// Names that the methods use must exist in both modes. So a body awaits private futures, and no
/// method of this macro.
macro_rules! in_both_modes {
    (
        $face:ident: $(
            $(#[$meta:meta])*
            async { $(#[$more:meta])* }
            pub fn $name:ident [$($generic:tt)*] ($($argument:tt)*) -> $output:ty $(where [$($bound:tt)*])? $body:block
        )*
    ) => {
        impl<R: $crate::runtime::Runtime> $face<R, $crate::mode::Async> {
            $(
                $(#[$meta])*
                #[doc = ""]
                $(#[$more])*
                pub async fn $name<$($generic)*>($($argument)*) -> $output $(where $($bound)*)? $body
            )*
        }

        impl<R: $crate::mode::BlockOn> $face<R, $crate::mode::Blocking> {
            $(
                $(#[$meta])*
                pub fn $name<$($generic)*>($($argument)*) -> $output $(where $($bound)*)? {
                    R::block_on(async move $body)
                }
            )*
        }
    };
}
