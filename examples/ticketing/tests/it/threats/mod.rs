//! What somebody tries who means harm, or is in a hurry: the threats that no other file is about.

mod injection;
mod large;
mod many_orders;
mod replay;
mod tampering;
mod timing;
mod twice;
