export function SidePanel({ close }: { close: () => void }) {
  return <aside className="pane side-panel"><button type="button" onClick={close}>Close</button></aside>;
}
