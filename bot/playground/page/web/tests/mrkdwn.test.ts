import { describe, expect, it } from "vitest";
import { forRenderer, safeMrkdwn, unescaped, unparsed, withoutImages } from "../src/text/mrkdwn";

describe("safeMrkdwn", () => {
  it("keeps links to the web and to mail, and mentions", () => {
    const kept = "<https://example.com|a> <mailto:a@example.com> <@U1> <#C1|general> <!here> <!subteam^S1>";
    expect(safeMrkdwn(kept)).toBe(kept);
  });

  it.each(["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "file:///etc/passwd", "vbscript:x"])(
    "leaves of a link to %s only its label",
    (url) => expect(safeMrkdwn(`a <${url}|label> b`)).toBe("a label b"),
  );

  it("shows what is no link at all as text", () => {
    expect(safeMrkdwn("</script><img src=x onerror=alert(1)>")).toBe("&lt;/script>&lt;img src=x onerror=alert(1)>");
  });

  it("leaves a quote its sign, and gives no other sign a blank", () => {
    expect(safeMrkdwn("&gt; said\na -&gt; b &gt; c")).toBe("&gt; said\na -> b > c");
  });

  it.each(["!channel", "@U1", "#C1", "https://example.com"])("lets an escaped %s be no mention and no link", (what) => {
    expect(safeMrkdwn(`&lt;${what}&gt;`)).toBe(`&lt;\u2060${what}>`);
  });

  it("finds the link inside code, which the renderer would draw by itself", () => {
    expect(safeMrkdwn("`<javascript:alert(1)|x>`")).toBe("`x`");
  });

  it("takes a long hostile line in no time", () => {
    const began = performance.now();
    safeMrkdwn("<".repeat(100_000));
    safeMrkdwn("<a|".repeat(33_000));
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe("forRenderer", () => {
  it("takes out ids, questions, remote pictures and unsafe addresses, however deep", () => {
    const block = {
      type: "card",
      block_id: "b1",
      hero_image: { type: "image", image_url: "https://example.com/track.png", alt_text: "x" },
      actions: [{ type: "button", action_id: "a", url: "javascript:alert(1)", confirm: {}, text: { type: "plain_text", text: "Go" } }],
    };
    expect(forRenderer(block)).toEqual({
      type: "card",
      hero_image: { type: "image", image_url: "", alt_text: "x" },
      actions: [{ type: "button", action_id: "a", url: "", text: { type: "plain_text", text: "Go" } }],
    });
  });

  it("keeps plain text from being parsed", () => {
    const { text } = forRenderer({ type: "plain_text", text: "*a* :fire:" }) as { text: string };
    expect(text).not.toContain("*a*");
    expect(text).not.toContain(":fire:");
    expect(text.replaceAll("\u2060", "")).toBe("*a* :fire:");
  });
});

it("escapes are undone once, and pictures in markdown become their words", () => {
  expect(unescaped("&amp;lt; &lt;b&gt;")).toBe("&lt; <b>");
  expect(withoutImages("![alt](http://x/y.png) end")).toBe("alt end");
  expect(unparsed("a")).toBe("a");
});

it("a time of day in rich text is no emoji", () => {
  const given = { type: "rich_text_section", elements: [{ type: "text", text: "at 16:31:45 :eyes:" }] };
  const elements = (forRenderer(given) as { elements: { text: string }[] }).elements;
  expect(elements[0]?.text).toBe("at 16:\u206031:45 :eyes:");
});
