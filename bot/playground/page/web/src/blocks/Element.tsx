// One control, by its type.
import type { Block, BlockElement } from "../model/slack";
import type { Control } from "../wire/gestures";
import { Button } from "./Button";
import { Choices } from "./Choices";
import { Picture } from "./ImageBlock";
import { Menu } from "./Menu";
import { Overflow } from "./Overflow";
import { Picker } from "./Picker";
import { Plain } from "./Plain";
import { TextInput } from "./TextInput";

export interface ElementProps {
  element: BlockElement;
  control: Control;
  /** The DOM id that an input block's label points to. */
  id?: string;
}

export function Element({ block, element, id }: { block: Block; element: BlockElement; id?: string }) {
  const control = { block_id: block.block_id ?? "", action_id: element.action_id ?? "" };
  const props: ElementProps = id === undefined ? { element, control } : { element, control, id };
  switch (element.type) {
    case "button":
    case "workflow_button":
      return <Button {...props} />;
    case "overflow":
      return <Overflow {...props} />;
    case "checkboxes":
    case "radio_buttons":
      return <Choices {...props} />;
    case "datepicker":
    case "timepicker":
    case "datetimepicker":
      return <Picker {...props} />;
    case "image":
      return <Picture of={element} small />;
    default:
      if (element.type.endsWith("_select")) return <Menu {...props} />;
      if (element.type.endsWith("_input")) return <TextInput {...props} />;
      return <Plain text={`(${element.type})`} />;
  }
}
