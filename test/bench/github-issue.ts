const API = "https://api.github.com";
const REPOSITORY = "acme/storefront";

const REPOSITORY_LINKS = [
  ...["forks", "keys{/key_id}", "collaborators{/collaborator}", "teams", "hooks", "events"],
  ...["issues/events{/number}", "assignees{/user}", "branches{/branch}", "tags", "languages"],
  ...["git/blobs{/sha}", "git/tags{/sha}", "git/refs{/sha}", "git/trees{/sha}", "stargazers"],
  ...["statuses/{sha}", "contributors", "subscribers", "subscription", "commits{/sha}"],
  ...["git/commits{/sha}", "comments{/number}", "issues/comments{/number}", "contents/{+path}"],
  ...["compare/{base}...{head}", "merges", "{archive_format}{/ref}", "downloads"],
  ...["issues{/number}", "pulls{/number}", "milestones{/number}", "labels{/name}"],
  ...["notifications{?since,all,participating}", "releases{/id}", "deployments"],
] as const;

const USER_LINKS = [
  ...["followers", "following{/other_user}", "gists{/gist_id}", "starred{/owner}{/repo}"],
  ...["subscriptions", "orgs", "repos", "events{/privacy}", "received_events"],
] as const;

const PARAGRAPH =
  "When the cart holds an item that was removed from the catalogue, the checkout page shows a blank panel and the total is NaN. Steps: add an item, have an editor remove it, reload the page. Expected: the item is marked as not available any more, and the total leaves it out. ";

/** A body of GitHub's event `issues`, with the members that GitHub sends: some 9 kB of JSON. */
export function githubIssueEvent(number: number, label: string): string {
  const url = `${API}/repos/${REPOSITORY}/issues/${number}`;
  const times = { created_at: "2026-11-20T09:12:33Z", updated_at: "2026-11-22T17:40:02Z" };
  const links = ["labels{/name}", "comments", "events", "timeline", "reactions"];
  return JSON.stringify({
    action: "labeled",
    issue: {
      ...{ url, repository_url: `${API}/repos/${REPOSITORY}`, html_url: htmlUrl(number) },
      ...linked(url, links),
      ...{ id: 2_700_000_000 + number, node_id: `I_kwDOAbCdEf6${number}`, number },
      ...{ title: `Checkout is blank after an item was removed (${number})`, user: user("ann") },
      labels: [labelOf(label), labelOf("bug"), labelOf("needs triage")],
      ...{ state: "open", locked: false, assignee: user("bo"), assignees: [user("bo")] },
      ...{ milestone: null, comments: 4, ...times, closed_at: null, author_association: "MEMBER" },
      ...{ active_lock_reason: null, body: PARAGRAPH.repeat(5), closed_by: null },
      ...{ performed_via_github_app: null, state_reason: null },
    },
    label: labelOf(label),
    repository: repository(),
    organization: {
      ...{ login: "acme", id: 4021, node_id: "MDEyOk9yZ2FuaXphdGlvbjQwMjE=" },
      ...linked(`${API}/orgs/acme`, ["repos", "events", "hooks", "issues", "members{/member}"]),
      description: "Everything for the coyote",
    },
    sender: user("cy"),
  });
}

function repository() {
  const { url, ...links } = linked(`${API}/repos/${REPOSITORY}`, REPOSITORY_LINKS);
  return {
    ...{ id: 81_234_567, node_id: "R_kgDOAbCdEf", name: "storefront", full_name: REPOSITORY },
    ...{ private: true, owner: user("acme"), html_url: `https://github.com/${REPOSITORY}` },
    ...{ description: "The shop", fork: false, url, ...links },
    ...{ created_at: "2021-02-03T08:00:00Z", pushed_at: "2026-11-22T16:00:41Z", size: 48_211 },
    ...{ git_url: `git://github.com/${REPOSITORY}.git`, language: "TypeScript" },
    ...{ has_issues: true, has_projects: true, archived: false, open_issues_count: 87 },
    ...{ topics: ["shop", "typescript"], visibility: "private", default_branch: "main" },
  };
}

function user(login: string) {
  const { url, ...links } = linked(`${API}/users/${login}`, USER_LINKS);
  return {
    ...{ login, id: login.length * 7919, node_id: "MDQ6VXNlcjE=", gravatar_id: "" },
    avatar_url: `https://avatars.githubusercontent.com/u/${login.length * 7919}?v=4`,
    ...{ url, html_url: `https://github.com/${login}`, ...links, type: "User", site_admin: false },
  };
}

function labelOf(name: string) {
  const url = `${API}/repos/${REPOSITORY}/labels/${encodeURIComponent(name)}`;
  return { id: 1, node_id: "LA_1", url, name, color: "d73a4a", default: false, description: null };
}

function linked(url: string, paths: readonly string[]): Readonly<Record<string, string>> {
  const named = paths.map((path) => [`${path.split(/[^a-z_]/)[0]}_url`, `${url}/${path}`] as const);
  return { url, ...Object.fromEntries(named) };
}

function htmlUrl(number: number): string {
  return `https://github.com/${REPOSITORY}/issues/${number}`;
}
