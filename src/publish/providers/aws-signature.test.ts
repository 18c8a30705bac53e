import { describe, expect, it } from "vitest";
import { Secret } from "../secret.ts";
import { awsHeaders, awsQuery } from "./aws-signature.ts";

/** The key, time and host of Amazon's own published cases for this signature. */
const signer = {
  accessKeyId: new Secret("AKIDEXAMPLE"),
  secretAccessKey: new Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
  region: "us-east-1",
  service: "service",
};
const now = new Date("2015-08-30T12:36:00Z");

describe("signatures", () => {
  it.each<[name: string, method: string, path: string, signature: string]>([
    ["get-vanilla", "GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
    [
      "get-vanilla-query-order-key-case",
      "GET",
      "/?Param1=value1&Param2=value2",
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ],
    ["post-vanilla", "POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
  ])("%s", (_name, method, path, signature) => {
    const headers = awsHeaders({ method, url: `https://example.amazonaws.com${path}` }, signer, now);
    expect(headers).toEqual({
      "x-amz-date": "20150830T123600Z",
      authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
    });
  });

  it("queries are sorted and escaped", () => {
    expect(awsQuery({ type: "TXT", name: "*.example.org (a)", Zone: "/~" })).toBe(
      "Zone=%2F~&name=%2A.example.org%20%28a%29&type=TXT",
    );
  });
});
