/** What the stand-in sells, in Vultr's own words: a small part of the real catalogue. */
export const catalogue = {
  regions: [
    region("ams", "Amsterdam", "NL"),
    region("ewr", "New Jersey", "US"),
    region("fra", "Frankfurt", "DE"),
  ],
  plans: [
    plan("vc2-1c-1gb", { cpus: 1, ram: 1024, disk: 25, cost: 5 }, ["ams", "ewr", "fra"]),
    plan("vc2-1c-2gb", { cpus: 1, ram: 2048, disk: 55, cost: 10 }, ["ams", "ewr", "fra"]),
    plan("vc2-2c-4gb", { cpus: 2, ram: 4096, disk: 80, cost: 20 }, ["ams", "fra"]),
    plan("vhf-8c-32gb", { cpus: 8, ram: 32_768, disk: 512, cost: 192 }, ["ewr"]),
    plan("vc2-1c-0.5gb", { cpus: 1, ram: 512, disk: 10, cost: 2.5 }, ["ewr"]),
  ],
  os: [
    { id: 159, name: "Custom", arch: "x64", family: "iso" },
    { id: 2136, name: "Debian 12 x64 (bookworm)", arch: "x64", family: "debian" },
    { id: 2284, name: "Ubuntu 24.04 LTS x64", arch: "x64", family: "ubuntu" },
    { id: 2625, name: "Debian 13 x64 (trixie)", arch: "x64", family: "debian" },
  ],
} as const;

function region(id: string, city: string, country: string) {
  return { id, city, country, continent: "", options: ["ddos_protection"] };
}

function plan(
  id: string,
  size: { cpus: number; ram: number; disk: number; cost: number },
  locations: readonly string[],
) {
  return {
    ...{ id, vcpu_count: size.cpus, ram: size.ram, disk: size.disk, disk_count: 1 },
    ...{ bandwidth: 1024, monthly_cost: size.cost, type: id.split("-")[0] ?? "", locations },
  };
}
