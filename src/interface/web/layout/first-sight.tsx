/** What stands there until there are words and a page; index.html has the same, for before the script runs. */
export function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" />
      <path d="M8 9.5h16L9.5 22.5H24" />
      <circle cx="24" cy="9.5" r="3" />
    </svg>
  );
}

export function FirstSight() {
  return (
    <header className="bar">
      <div className="bar-inside">
        <span className="brand">
          <Mark />
          Zonepost
        </span>
      </div>
    </header>
  );
}
