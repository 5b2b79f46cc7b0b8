// What slack-blocks-to-jsx draws: mrkdwn, rich text, tables, plans, cards. It gets cleaned JSON and our own links.
import { Component, memo, useMemo, type ReactNode } from "react";
import { Message as Renderer, type Block as RendererBlock, type MessageProps } from "slack-blocks-to-jsx";
import { useTheme } from "../model/theme";
import type { Block } from "../model/slack";
import { forRenderer, LONGEST_MRKDWN, safeMrkdwn, unescaped } from "../text/mrkdwn";
import { ChannelMention, GroupMention, UserMention } from "./Mention";
import { Plain } from "./Plain";
import { SafeLink } from "./SafeLink";

const HOOKS: NonNullable<MessageProps["hooks"]> = {
  user: ({ id }) => <UserMention id={id} />,
  channel: ({ id }) => <ChannelMention id={id} />,
  usergroup: ({ id }) => <GroupMention id={id} />,
  atHere: () => <span className="mention mention-me">@here</span>,
  atChannel: () => <span className="mention mention-me">@channel</span>,
  atEveryone: () => <span className="mention mention-me">@everyone</span>,
  link: ({ href, children }) => <SafeLink href={href}>{children}</SafeLink>,
};

export const LibraryBlock = memo(function LibraryBlock({ block }: { block: Block }) {
  const theme = useTheme();
  const blocks = useMemo(() => [forRenderer(block) as RendererBlock], [block]);
  return (
    <Sturdy of={block} otherwise={<Plain text={`(a block of type ${block.type} that cannot be drawn here)`} />}>
      <Renderer blocks={blocks} hooks={HOOKS} theme={theme} withoutWrapper logo="" name="" className="library" />
    </Sturdy>
  );
});

/** mrkdwn as Slack shows it; text that is too long to parse is shown as it is. */
export const Mrkdwn = memo(function Mrkdwn({ text }: { text: string }) {
  const theme = useTheme();
  const blocks = useMemo(
    () => [{ type: "section", text: { type: "mrkdwn", text: safeMrkdwn(text) } }] as RendererBlock[],
    [text],
  );
  if (text.length > LONGEST_MRKDWN) return <Plain text={unescaped(text)} />;
  return (
    <Sturdy of={text} otherwise={<Plain text={unescaped(text)} />}>
      <Renderer blocks={blocks} hooks={HOOKS} theme={theme} withoutWrapper logo="" name="" className="library" />
    </Sturdy>
  );
});

interface SturdyProps {
  /** What is drawn; when it changes, drawing is tried again. */
  of: unknown;
  children: ReactNode;
  otherwise: ReactNode;
}

interface SturdyState {
  broken: boolean;
  of: unknown;
}

/** Hostile input may make a renderer throw. Then its plain form is shown, and the rest of the page stays. */
class Sturdy extends Component<SturdyProps, SturdyState> {
  override state: SturdyState = { broken: false, of: this.props.of };

  static getDerivedStateFromProps(props: SturdyProps, state: SturdyState): SturdyState | null {
    return props.of === state.of ? null : { broken: false, of: props.of };
  }

  static getDerivedStateFromError(): Partial<SturdyState> {
    return { broken: true };
  }

  override render(): ReactNode {
    return this.state.broken ? this.props.otherwise : this.props.children;
  }
}
