// What error pages say. Of each occasion: what happened, what it means, and what to do. The other languages have the
// same; `{seconds}` is how long to wait.
export const frame = {
  forHelp: 'If you ask for help, pass this on:',
  reference: 'Reference',
  code: 'Code',
  back: 'Back to {name}',
  reload: 'Open the page again',
};

type ErrorText = readonly [title: string, meaning: string, action: string];

const text = (title: string, meaning: string, action: string): ErrorText => [title, meaning, action];

export const errors = {
  other: text(
    'This did not work',
    'What you wanted to do was refused.',
    'Start again from your application. If it happens again, ask your administrator.',
  ),
  internal: text(
    'Something went wrong',
    'The fault is ours, not yours.',
    'Try again in a moment. If it happens again, tell your administrator.',
  ),
  unreadable: text(
    'This request could not be understood',
    'Your browser sent something that this page does not expect, or more than it takes.',
    'Go back to your application and start again there.',
  ),
  not_found: text(
    'There is nothing here',
    'The address is not right, or what was here is gone.',
    'Check the address, or start again from your application.',
  ),
  access_denied: text(
    'You may not do this',
    'Your account does not have the right that it needs.',
    'Ask an administrator of your organization for it.',
  ),
  conflict: text(
    'It was changed at the same time',
    'Somebody else, or another tab of yours, was faster.',
    'Open the page again and repeat your change.',
  ),
  rate_limited: text(
    'Too many requests',
    'Your network has sent more requests than are answered in a minute.',
    'Wait {seconds, plural, one {# second} other {# seconds}}, then try again.',
  ),
  dependency_unavailable: text(
    'This does not work just now',
    'A part of the service does not answer at the moment. Nothing is wrong with your account.',
    'Wait {seconds, plural, one {# second} other {# seconds}}, then start again from your application.',
  ),
  tenant_suspended: text(
    'Your organization’s access is suspended',
    'Nobody of your organization can sign in at present.',
    'Ask an administrator of your organization.',
  ),
  user_deactivated: text(
    'Your account is deactivated',
    'You cannot use this account at present.',
    'Ask an administrator of your organization to reactivate it.',
  ),
  identity_conflict: text(
    'Your account could not be matched',
    'Somebody in your organization has your e-mail address or identifier already, and it is not certain that this is you.',
    'Sign in as you did before and link this sign-in there, or ask an administrator of your organization to link it.',
  ),
  identity_taken: text(
    'This sign-in is linked already',
    'It belongs to another account, or your account has another sign-in of that kind.',
    'Ask an administrator of your organization to unlink that one first.',
  ),
  link_needs_sign_in: text(
    'Please sign in as usual first',
    'Another sign-in is linked to your account only right after you have signed in.',
    'Sign in as usual in your application, then link the other sign-in again.',
  ),
  link_declined: text(
    'Nothing was linked',
    'You did not want to link this sign-in.',
    'You can go back to your application.',
  ),
  identity_unknown: text(
    'You do not have an account here',
    'Your organization has confirmed who you are, but nobody has added you here.',
    'Ask an administrator of your organization to add you.',
  ),
  connection_not_active: text(
    'This way of signing in is closed',
    'Your organization does not use it any more, or not yet.',
    'Start again from your application. If it happens again, ask your administrator.',
  ),
  setup_link_over: text(
    'This link is not valid any more',
    'It has expired, was withdrawn, or is not complete.',
    'Check that you have the whole address, or ask whoever sent it for a new one.',
  ),
  connection_untested: text(
    'It has not been tested yet',
    'Nobody has signed in for a test with the settings as they are now.',
    'Open the page again and test the sign-in first.',
  ),
  domain_enforced: text(
    'You sign in another way',
    'Your organization has people with your e-mail address sign in elsewhere.',
    'Start again from your application and enter your e-mail address: it leads you to the right place.',
  ),
  missing_auth_key: text(
    'It is not known where you sign in',
    'The page that you come from does not say which sign-in it means.',
    'Tell whoever runs that page. You did nothing wrong.',
  ),
  unknown_auth_key: text(
    'There is no such sign-in',
    'The page that you come from names a sign-in that does not exist here.',
    'Tell whoever runs that page. You did nothing wrong.',
  ),
  origin_not_allowed: text(
    'This page may not show the assistant',
    'The page that you come from is not among those that your organization allows.',
    'Tell whoever runs that page, or your administrator.',
  ),
  redirect_uri_mismatch: text(
    'The sign-in is not set up completely',
    'An address that it leads back to is not registered.',
    'Tell your administrator. Trying again does not help.',
  ),
  redirect_loop: text(
    'You were sent round in circles',
    'The page that you come from sent you to sign in again and again, so we stopped it.',
    'Wait a minute, then open the page again. If it happens again, tell whoever runs it.',
  ),
  cookies_blocked: text(
    'Your browser keeps no cookies',
    'Without them nobody can be signed in here.',
    'Allow cookies for this address, then start again from the page that you come from.',
  ),
  sign_in_expired: text(
    'This sign-in is over',
    'It took too long, was used already, or began in another browser.',
    'Start again from your application.',
  ),
  sign_in_failed: text(
    'The sign-in could not be completed',
    'You are not signed in.',
    'Start again from your application. If it happens again, tell your administrator.',
  ),
  'sign_in_failed.refused': text(
    'Your organization did not sign you in',
    'Its sign-in page refused, or you cancelled there.',
    'Start again from your application. If you did not cancel, ask your administrator whether you may use it.',
  ),
  'sign_in_failed.unanswered': text(
    'Your organization’s sign-in does not answer',
    'We could not reach it, or it took too long to answer.',
    'Try again in a few minutes. If it goes on, tell your administrator.',
  ),
  'sign_in_failed.unacceptable': text(
    'Your organization’s answer could not be accepted',
    'Its sign-in page answered, but something in the answer is wrong or missing. You did nothing wrong.',
    'Tell your administrator. Trying again rarely helps.',
  ),
  'sign_in_failed.outdated': text(
    'Please sign in once more',
    'What your organization’s sign-in page sent belongs to an earlier sign-in, or to one that did not begin here.',
    'Start again from your application. If it happens again, sign out at your organization first.',
  ),
  'sign_in_failed.other_organization': text(
    'You are signed in to another organization',
    'This page belongs to another organization than the one that you have signed in to.',
    'Sign out, then open the page again and sign in to its organization.',
  ),
  'sign_in_failed.no_access': text(
    'The other service gave no access',
    'It answered, but something in its answer is wrong or missing. Nothing was connected.',
    'Open the page again. If it happens again, tell your administrator.',
  ),
  'sign_in_failed.nothing_granted': text(
    'The other service gave access to nothing',
    'It granted nothing of what was asked for. Nothing was connected.',
    'Open the page again, and allow there what you want to be done for you.',
  ),
  'sign_in_failed.too_much_granted': text(
    'The other service gave too much access',
    'It gave more than you have agreed to. Nothing was connected.',
    'Tell your administrator.',
  ),
  sign_out_refused: text(
    'The sign-out could not be completed',
    'What your organization’s sign-in page said of it could not be verified. You may still be signed in.',
    'Sign out in your application.',
  ),
  scope_unknown: text(
    'This access does not exist',
    'The form asks for access that is not offered, or not any more.',
    'Open the page again and choose from what it shows.',
  ),
  installation_state: text(
    'This cannot be connected now',
    'An administrator has changed something meanwhile.',
    'Ask an administrator of your organization.',
  ),
  consent_expired: text(
    'This request is over',
    'It was answered already, took too long, or was withdrawn.',
    'Open its page again. If that is over as well, ask an administrator to begin anew.',
  ),
  csrf_mismatch: text(
    'The form is out of date',
    'It was not opened in this browser, or you have signed in or out since.',
    'Open the page again and repeat what you did.',
  ),
};

export type Frame = typeof frame;
export type Occasion = keyof typeof errors;
export type Errors = Record<Occasion, ErrorText>;
