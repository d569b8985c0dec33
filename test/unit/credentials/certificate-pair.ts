import { execFileSync } from "node:child_process";

/** A certificate that signed itself, and its key, both as PEM. */
export interface CertificatePair {
  readonly certificate: string;
  readonly key: string;
}

/** Another one each time. */
export function certificatePair(): CertificatePair {
  const args = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const output = ["-days", "2", "-subj", "/CN=agents.test", "-keyout", "-", "-out", "-"];
  const pem = execFileSync("openssl", ["req", ...args, ...output], {
    encoding: "utf8",
    stdio: "pipe",
  });
  const at = pem.indexOf("-----BEGIN CERTIFICATE");
  return { key: pem.slice(0, at), certificate: pem.slice(at) };
}
