import type { Suggestion } from "../text/suggest";

interface SuggestionsProps {
  id: string;
  items: Suggestion[];
  active: number;
  take: (suggestion: Suggestion) => void;
  hover: (index: number) => void;
}

export function Suggestions({ id, items, active, take, hover }: SuggestionsProps) {
  return (
    <div className="suggestions" role="listbox" id={id} aria-label="Suggestions">
      {items.map((item, index) => (
        <div
          key={item.key}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === active}
          data-testid="suggestion"
          className="suggestion"
          onPointerEnter={() => hover(index)}
          onPointerDown={(event) => {
            event.preventDefault();
            take(item);
          }}
        >
          <span className="suggestion-title">
            <strong>{item.title}</strong> {item.hint ? <code>{item.hint}</code> : null}
          </span>
          <span className="suggestion-detail">{item.detail}</span>
        </div>
      ))}
      <p className="suggestions-foot">
        <kbd>↑</kbd>
        <kbd>↓</kbd> to choose, <kbd>Tab</kbd> or <kbd>Enter</kbd> to take, <kbd>Esc</kbd> to leave
      </p>
    </div>
  );
}
