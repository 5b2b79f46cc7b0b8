import { useWorkspace } from "../model/store";
import { hue, initials } from "../text/people";

interface AvatarProps {
  id: string;
  name: string;
  size?: "small" | "medium" | "large";
}

export function Avatar({ id, name, size = "large" }: AvatarProps) {
  const app = useWorkspace()?.app;
  const isApp = app !== undefined && (id === app.user_id || id === app.bot_id);
  if (isApp) {
    return (
      <span className={`avatar avatar-${size} avatar-app`} aria-hidden="true">
        <svg viewBox="0 0 32 32">
          <rect x="4" y="9" width="9" height="14" rx="2" fill="#7fd1c7" />
          <rect x="19" y="9" width="9" height="14" rx="2" fill="#f2b84b" />
          <path d="M13 16h6" stroke="#fff" strokeWidth="2.4" strokeDasharray="2 1.5" />
        </svg>
      </span>
    );
  }
  return (
    <span className={`avatar avatar-${size}`} style={{ "--hue": hue(id) } as React.CSSProperties} aria-hidden="true">
      {initials(name)}
    </span>
  );
}
