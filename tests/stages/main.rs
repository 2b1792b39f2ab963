//! Every stage's shader held to its reference, on the adapter that `BEAMLINE_ADAPTER` names.

mod harness;
