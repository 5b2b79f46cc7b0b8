import type { Block, TextObject } from "../model/slack";
import { Element } from "./Element";
import { Text } from "./Text";

export function SectionBlock({ block }: { block: Block }) {
  return (
    <div className="b-section">
      <div className="b-section-body">
        {block.text ? <Text of={block.text as TextObject} /> : null}
        {block.fields?.length ? <Fields fields={block.fields} /> : null}
      </div>
      {block.accessory ? (
        <div className="b-accessory">
          <Element block={block} element={block.accessory} />
        </div>
      ) : null}
    </div>
  );
}

function Fields({ fields }: { fields: TextObject[] }) {
  return (
    <div className="b-fields">
      {fields.map((field, index) => (
        <div className="b-field" key={index}>
          <Text of={field} />
        </div>
      ))}
    </div>
  );
}
