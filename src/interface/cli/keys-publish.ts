/** Steps of a rotation carried out at whoever holds the zone, by the description. */
import type { Step } from "../../keys/rotation.ts";
import { needsZone, type PublishedStep, publishKeyStep } from "../../watch/key-publish.ts";
import { applyTools, type PublishOptions, withZone } from "./publish.ts";
import type { Tools } from "./tools.ts";

export async function publishStep(step: Step, options: PublishOptions, tools: Tools): Promise<PublishedStep> {
  const { key } = step;
  let result: PublishedStep = { status: "not-needed" };
  if (key === undefined || !needsZone(step)) return result;
  await withZone(key.signingDomain, options, tools, async (opened) => {
    result = await publishKeyStep(step, opened, applyTools(opened, options, tools));
  });
  return result;
}
