/**
 * A Linux program for x86-64 that waits for SIGTERM and then exits with 0: a stand-in for a
 * runtime in an image that consists of it alone. SIGTERM is blocked and waited for, since the
 * kernel drops it for a first process that has no handler.
 */
export function waitingProgram(): Buffer {
  const code = Buffer.from(
    [
      "b80e000000", // mov eax, 14: rt_sigprocmask
      "31ff", // xor edi, edi: SIG_BLOCK
      "be00000000", // mov esi, set
      "31d2", // xor edx, edx
      "41ba08000000", // mov r10d, 8
      "0f05", // syscall
      "b880000000", // mov eax, 128: rt_sigtimedwait
      "bf00000000", // mov edi, set
      "31f6", // xor esi, esi
      "31d2", // xor edx, edx
      "41ba08000000", // mov r10d, 8
      "0f05", // syscall
      "31ff", // xor edi, edi
      "b83c000000", // mov eax, 60: exit
      "0f05", // syscall
    ].join(""),
    "hex",
  );
  const base = 0x400000n;
  const headerBytes = 120;
  const setAt = headerBytes + code.length;
  code.writeUInt32LE(Number(base) + setAt, 8);
  code.writeUInt32LE(Number(base) + setAt, 28);
  const image = Buffer.alloc(setAt + 8);
  image.write("7f454c46020101", "hex");
  image.writeUInt16LE(2, 16);
  image.writeUInt16LE(0x3e, 18);
  image.writeUInt32LE(1, 20);
  image.writeBigUInt64LE(base + BigInt(headerBytes), 24);
  image.writeBigUInt64LE(64n, 32);
  image.writeUInt16LE(64, 52);
  image.writeUInt16LE(56, 54);
  image.writeUInt16LE(1, 56);
  image.writeUInt32LE(1, 64);
  image.writeUInt32LE(5, 68);
  image.writeBigUInt64LE(base, 80);
  image.writeBigUInt64LE(base, 88);
  image.writeBigUInt64LE(BigInt(image.length), 96);
  image.writeBigUInt64LE(BigInt(image.length), 104);
  image.writeBigUInt64LE(0x1000n, 112);
  code.copy(image, headerBytes);
  image.writeBigUInt64LE(1n << 14n, setAt);
  return image;
}
