/** Started by namespace-prober.ts. */
import type { HttpsRequest, ServiceTarget } from "../../src/check/probe.ts";
import { createProber, type ProberOptions } from "../../src/net/service-probe.ts";
import { answerQuestions } from "./namespace-process.ts";

let prober: ReturnType<typeof createProber>;

answerQuestions({
  open(options: ProberOptions) {
    prober = createProber(options);
  },
  probeService: (target: ServiceTarget) => prober.probeService(target),
  fetchHttps: (request: HttpsRequest) => prober.fetchHttps(request),
});
