/** RFC 8601 §2.7.1: what verifying one signature comes to. */
export type DkimResult = "none" | "pass" | "fail" | "policy" | "neutral" | "temperror" | "permerror";
