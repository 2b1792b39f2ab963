// The packed row of an inference and what voters and traps say. See src/outcome.rs and
// src/stage/classify.rs for the same words.

const OUTCOME_MASKED:        u32 = 0u;
const OUTCOME_CORRECTED:     u32 = 1u;
const OUTCOME_DUE_RECOVERED: u32 = 2u;
const OUTCOME_TOLERABLE_SDC: u32 = 3u;
const OUTCOME_CRITICAL_SDC:  u32 = 4u;
const OUTCOME_DUE:           u32 = 5u;
const OUTCOME_HANG:          u32 = 6u;
const OUTCOME_MASK:          u32 = 7u;

const ROW_ALARM:         u32 = 8u;
const ROW_NON_FINITE:    u32 = 16u;
const ROW_LABEL_CORRECT: u32 = 32u;

const VERDICT_ALARM:    u32 = 1u;   // the executions did not agree
const VERDICT_MISMATCH: u32 = 2u;   // two executions differ: a retry is due
const VERDICT_RETRIED:  u32 = 4u;   // delivered after a reload and a retry
const VERDICT_NONE:     u32 = 8u;   // nothing is delivered

const TRAP_INDEX:  u32 = 1u;   // an index read from struck memory was out of range
const TRAP_BUDGET: u32 = 2u;   // an iteration budget was spent
const TRAP_ECC:    u32 = 4u;   // a decoder could not correct stored memory

const DECISION_ARG_MAX:   u32 = 0u;
const DECISION_TOLERANCE: u32 = 1u;
const DECISION_TOP_K:     u32 = 2u;
const DECISION_RANK:      u32 = 3u;
const DECISION_MASK:      u32 = 4u;
const DECISION_TOKENS:    u32 = 5u;

const NAN_DIFFERS: u32 = 0u;
const NAN_HIGHEST: u32 = 1u;
const NAN_LOWEST:  u32 = 2u;

const NO_DECISION: u32 = 0xffffffffu;   // a NaN among the outputs, where it ranks nowhere
